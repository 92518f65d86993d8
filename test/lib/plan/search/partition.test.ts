/** Compares the search for a partition with an exhaustive search. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../../lib/compile/analyze';
import type { CutSpace } from '../../../../lib/plan/cuts/cuts';
import type { SliceSize } from '../../../../lib/plan/sizes/estimate';
import type { Groups } from '../../../../lib/plan/wiring/groups';
import { evenSlices, fewestSlices } from '../../../../lib/plan/search/partition';
import { sizeStretches } from '../../../../lib/plan/search/stretches';
import { WeightTable } from '../../../../lib/dataflow/weights';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { saveModel } from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';

analyzeFast();

const need = ({ weightBytes, activationBytes }: SliceSize): number => weightBytes + activationBytes;
const moved = (sizes: readonly SliceSize[]): number =>
  sizes.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0);

function sizesAt(space: CutSpace, cuts: readonly number[]): SliceSize[] {
  const boundaries = [0, ...cuts, space.dataflow.order.length];
  const weights = new WeightTable(space.dataflow, space.bytes);
  return boundaries.slice(1).map((_, from) => {
    const sizes: SliceSize[] = [];
    sizeStretches(space, weights, boundaries, from, (_to, size) => {
      sizes.push(size);
      return false;
    });
    return sizes[0];
  });
}

function cutsOf(groups: Groups): number[] {
  let place = 0;
  return groups.slice(0, -1).map((nodes) => (place += nodes.length));
}

function subsets(cuts: readonly number[]): number[][] {
  return cuts.reduce<number[][]>((all, cut) => [...all, ...all.map((chosen) => [...chosen, cut])], [[]]);
}

/** Random models with so few legal cuts that every subset can be tried. */
const smallSpace = randomModel
  .map((init) => analyzeModel(saveModel(init)).cuts)
  .filter(({ legal }) => legal.length > 0 && legal.length <= 9);

test('fewestSlices: no partition within the limit has fewer slices, or as many slices and fewer bytes moved', () => {
  fc.assert(
    fc.property(smallSpace, fc.double({ min: 0, max: 1, noNaN: true }), (space, share) => {
      const all = subsets(space.legal).map((cuts) => sizesAt(space, cuts));
      const [smallest, largest] = [Math.min, Math.max].map((pick) =>
        pick(...all.map((sizes) => Math.max(...sizes.map(({ weightBytes }) => weightBytes)))),
      );
      const cap = Math.floor(smallest + share * (largest - smallest));
      const fits = ({ weightBytes }: SliceSize): boolean => weightBytes <= cap;
      const found = sizesAt(
        space,
        cutsOf(
          fewestSlices(space, {
            fits,
            isHopeless: (size) => !fits(size),
            describe: () => ({ limit: '', got: '', advice: '' }),
          }),
        ),
      );
      const allowed = all.filter((sizes) => sizes.every(fits));
      const fewest = Math.min(...allowed.map((sizes) => sizes.length));
      expect(found.every(fits)).toBe(true);
      expect(found).toHaveLength(fewest);
      expect(moved(found)).toBe(Math.min(...allowed.filter((sizes) => sizes.length === fewest).map(moved)));
    }),
    { numRuns: 15 },
  );
});

test('evenSlices: the largest slice is at most a tenth larger than in the most even partition', () => {
  fc.assert(
    fc.property(smallSpace, fc.nat(1000), (space, seed) => {
      const slices = 1 + (seed % (space.legal.length + 1));
      const largest = (sizes: readonly SliceSize[]): number => Math.max(...sizes.map(need));
      const best = Math.min(
        ...subsets(space.legal)
          .filter((cuts) => cuts.length === slices - 1)
          .map((cuts) => largest(sizesAt(space, cuts))),
      );
      const found = sizesAt(space, cutsOf(evenSlices(space, slices, need)));
      expect(found).toHaveLength(slices);
      expect(largest(found)).toBeLessThanOrEqual(best * 1.1);
    }),
    { numRuns: 15 },
  );
});
