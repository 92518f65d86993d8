/** Chooses a fixed number of slices. */
import { HeldWeights, WeightTable } from '../../../dataflow/weights';
import { SlicedInferenceError } from '../../../errors';
import type { CutSpace } from '../../cuts/cuts';
import { countedSlices, simpleCuts } from '../counted-slices';
import { legalIn, split, whole } from '../partition';
import type { Slicer } from '../slicer';
import type { Range } from '../stretches';
import { leastMemory } from './least-memory';

/** Chooses exactly `slices` slices: cheap ones that move few bytes, see `countedSlices`. */
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
    choose: (space, caps) =>
      countedSlices(space, slices, leastMemory(space), { caps, maxMemoryMb: mostMemory(space) }),
    baselines: (space) => simpleCuts(space, slices).map((cuts) => split(space, cuts, whole(space))),
    chooseWithin: (space, ranges) => {
      const counts = slicesPerRange(slices, ranges, space);
      if (counts === undefined) return undefined;
      const request = leastMemory(space);
      return {
        groups: ranges.flatMap(
          (range, index) =>
            countedSlices(space, counts[index], request, { range, maxMemoryMb: mostMemory(space) }).groups,
        ),
      };
    },
  };
}

function mostMemory({ costs }: CutSpace): number {
  return costs.model().options.environment.lambda.maxMemoryMb;
}

/** By range: its number of slices. Each range gets one; each further slice goes to the range with the largest slices. */
function slicesPerRange(slices: number, ranges: readonly Range[], space: CutSpace): number[] | undefined {
  if (ranges.length > slices) return undefined;
  const table = new WeightTable(space.dataflow, space.bytes);
  const needs = ranges.map(({ start, end }) => {
    const held = new HeldWeights(table);
    for (const node of space.dataflow.order.slice(start, end)) held.addNode(node);
    return held.weightBytes;
  });
  const most = ranges.map((range) => legalIn(space, range).length + 1);
  const counts = ranges.map(() => 1);
  for (let left = slices - ranges.length; left > 0; left--) {
    const open = counts.map((_, range) => range).filter((range) => counts[range] < most[range]);
    if (open.length === 0) return undefined;
    const next = open.reduce((a, b) => (needs[b] / counts[b] > needs[a] / counts[a] ? b : a));
    counts[next]++;
  }
  return counts;
}
