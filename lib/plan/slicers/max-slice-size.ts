/** Limits the weights of a slice. */
import { SlicedInferenceError } from '../../errors';
import type { CutSpace } from '../cuts/cuts';
import type { Groups } from '../wiring/wiring';
import { legalIn, whole, type SizeLimit } from '../search/cut-graph';
import type { NamedSlicer } from './slicer';
import { type Range, sizeRanges } from '../cuts/range-sizes';
import { leastMemory } from './least-memory';
import { RangeSearch } from './range-search';

const MIB = 2 ** 20;

/** Chooses the fewest slices that each have at most `bytes` bytes of weights. */
export function maxSliceSize(bytes: number): NamedSlicer {
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new SlicedInferenceError(
      'the size of a slice must be a whole number of bytes above 0',
      String(bytes),
      'pass a size such as 64 MiB',
    );
  }
  const groupsWithin = (space: CutSpace, ranges: readonly Range[]): Groups => {
    const limit: SizeLimit = {
      fits: ({ weightBytes }) => weightBytes <= bytes,
      isHopeless: ({ weightBytes }) => weightBytes > bytes,
      describe: ({ weightBytes }) => ({
        limit: `have at most ${inMib(bytes)} of weights`,
        got: inMib(weightBytes),
        advice: `raise the slice size to ${inMib(leastSize(space, ranges))} or more`,
      }),
    };
    const request = { ...leastMemory(space), minimize: 'slices' as const };
    return ranges.flatMap((range) => new RangeSearch(space, limit, range).plans(request)[0].groups);
  };
  return {
    key: `max slice size ${bytes}`,
    choose: (space) => ({ groups: groupsWithin(space, [whole(space)]) }),
    chooseWithin: (space, ranges) => ({ groups: groupsWithin(space, ranges) }),
  };
}

/** The smallest size with which each slice can end at the next legal cut. */
function leastSize(space: CutSpace, ranges: readonly Range[]): number {
  let least = 0;
  for (const range of ranges) {
    const boundaries = [range.start, ...legalIn(space, range), range.end];
    for (let from = 0; from < boundaries.length - 1; from++)
      sizeRanges(space, boundaries, from, (_, { weightBytes }) => {
        least = Math.max(least, weightBytes);
        return false;
      });
  }
  return least;
}

/** Rounded up, because less may not be enough. */
function inMib(bytes: number): string {
  return bytes < MIB ? `${bytes} bytes` : `${Math.ceil((10 * bytes) / MIB) / 10} MiB`;
}
