/** Chooses a fixed number of slices. */
import { SlicedInferenceError } from '../../../errors';
import type { CutSpace } from '../../cuts/cuts';
import { MOST_SEARCHED_SLICES, countedSlices } from '../counted-slices';
import type { Slicer } from '../slicer';
import { leastMemory } from './least-memory';

/** Chooses exactly `slices` slices, whose largest function is as small as cuts with few bytes allow, see `countedSlices`. */
export function count(slices: number): Slicer {
  if (!Number.isInteger(slices) || slices < 1) {
    throw new SlicedInferenceError(
      'the number of slices must be a whole number of 1 or more',
      String(slices),
      'pass a positive whole number',
    );
  }
  return {
    key: `count ${slices}`,
    choose: (space) => countedSlices(space, slices, leastMemory(space), { maxMemoryMb: mostMemory(space) }),
    chooseWithin: (space, ranges) => {
      if (ranges.length > slices || slices > MOST_SEARCHED_SLICES) return undefined;
      const needed = ranges.slice(1).map(({ start }) => start);
      return countedSlices(space, slices, leastMemory(space), { needed, maxMemoryMb: mostMemory(space) });
    },
  };
}

function mostMemory({ costs }: CutSpace): number {
  return costs.model().options.environment.lambda.maxMemoryMb;
}
