/** Limits the weights of a slice. */
import { SlicedInferenceError } from '../../../errors';
import type { CutSpace } from '../../cuts/cuts';
import type { Groups } from '../../wiring/groups';
import { optimalSlices } from '../optimal-slices';
import type { Slicer } from '../slicer';
import type { SizeLimit } from '../stretch-table';
import type { Range } from '../stretches';
import { leastMemory } from './least-memory';

/** Chooses the fewest slices that each have at most `bytes` bytes of weights. */
export function maxSliceSize(bytes: number): Slicer {
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new SlicedInferenceError(
      'the size of a slice must be a whole number of bytes above 0',
      String(bytes),
      'pass a size such as 64 MiB',
    );
  }
  const limit: SizeLimit = {
    fits: ({ weightBytes }) => weightBytes <= bytes,
    isHopeless: ({ weightBytes }) => weightBytes > bytes,
    describe: ({ weightBytes }) => ({
      limit: `have at most ${bytes} bytes of weights`,
      got: `${weightBytes} bytes`,
      advice: 'raise the slice size',
    }),
  };
  const groupsWithin = (space: CutSpace, range?: Range): Groups =>
    optimalSlices(space, { ...leastMemory(space), minimize: 'slices' }, limit, range).groups;
  return {
    key: `max slice size ${bytes}`,
    choose: (space) => ({ groups: groupsWithin(space) }),
    chooseWithin: (space, ranges) => ({ groups: ranges.flatMap((range) => groupsWithin(space, range)) }),
  };
}
