import type { CutSpace } from '../../lib/plan/cuts/cuts';

/** The most slices that a model can be cut into, if they repeat only constant nodes. */
export function mostSlices(cuts: CutSpace): number {
  return (cuts.withoutRepeats ?? cuts).legal.length + 1;
}
