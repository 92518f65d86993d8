/** Chooses among the legal cuts: the fewest slices within a limit, or a given number of even slices. */
import { SlicedInferenceError, quoted } from '../../errors';
import { nodeLabel } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import type { Groups } from '../wiring/groups';
import type { SliceSize } from '../sizes/estimate';
import type { SizeLimit } from './stretch-table';
import { StretchTable } from './stretch-table';
import type { Range } from './stretches';

/**
 * Most cuts that the search compares with each other; its time grows with their square. From more legal cuts it takes
 * the cuts with the fewest crossing bytes in their neighborhood.
 */
const MAX_CANDIDATES = 768;

/** The largest slice may be this many times as large as in the most even partition, if that moves fewer bytes. */
const LARGEST_TOLERANCE = 1.1;
/** The smallest slice may be this many times smaller. That costs no memory, but an almost empty slice would be useless. */
const SMALLEST_TOLERANCE = 2;

/**
 * The fewest slices of the range that all fit the limit, and among those the cuts with the fewest bytes moved.
 *
 * @throws SlicedInferenceError if nodes between two neighboring legal cuts exceed the limit
 */
export function fewestSlices(space: CutSpace, limit: SizeLimit, range: Range = whole(space)): Groups {
  const table = new StretchTable(space, candidates(space, legalIn(space, range)), range, limit);
  const cuts = table.fewest();
  if (cuts === undefined) throw tooLarge(space, table, limit);
  return split(space, cuts, range);
}

/**
 * Exactly `count` slices of the range that need about the same memory, and among those the cuts with the fewest bytes
 * moved.
 *
 * @throws SlicedInferenceError if the range has fewer than `count - 1` legal cuts
 */
export function evenSlices(
  space: CutSpace,
  count: number,
  need: (size: SliceSize) => number,
  range: Range = whole(space),
): Groups {
  const legal = legalIn(space, range);
  if (count - 1 > legal.length) throw tooMany(space, count);
  if (count - 1 === legal.length) return split(space, legal, range);
  if (count - 1 > MAX_CANDIDATES) {
    // The search would take too long for so many slices: take the cuts with the fewest crossing bytes.
    const cheapest = [...legal].sort((a, b) => space.crossingBytes[a] - space.crossingBytes[b] || a - b);
    const cuts = cheapest.slice(0, count - 1).sort((a, b) => a - b);
    return split(space, cuts, range);
  }
  const table = new StretchTable(space, candidates(space, legal), range);
  const most = table.smallestLargest(count, need) * LARGEST_TOLERANCE;
  const least = table.largestSmallest(count, need, most) / SMALLEST_TOLERANCE;
  const fits = (size: SliceSize): boolean => need(size) >= least && need(size) <= most;
  return split(space, table.fewestBytesMoved(count, fits), range);
}

/** The legal cuts inside the range. */
export function legalIn({ legal }: CutSpace, { start, end }: Range): readonly number[] {
  return legal.filter((cut) => cut > start && cut < end);
}

function whole({ dataflow }: CutSpace): Range {
  return { start: 0, end: dataflow.order.length };
}

/** At most `MAX_CANDIDATES` legal cuts: the cut with the fewest crossing bytes of each neighborhood. */
function candidates({ crossingBytes }: CutSpace, legal: readonly number[]): readonly number[] {
  if (legal.length <= MAX_CANDIDATES) return legal;
  const chosen: number[] = [];
  for (let bucket = 0; bucket < MAX_CANDIDATES; bucket++) {
    const start = Math.floor((bucket * legal.length) / MAX_CANDIDATES);
    const end = Math.floor(((bucket + 1) * legal.length) / MAX_CANDIDATES);
    let best = legal[start];
    for (const cut of legal.slice(start, end)) if (crossingBytes[cut] < crossingBytes[best]) best = cut;
    chosen.push(best);
  }
  return chosen;
}

function split(space: CutSpace, cuts: readonly number[], { start, end: last }: Range): Groups {
  const { order } = space.dataflow;
  const boundaries = [start, ...cuts, last];
  return boundaries.slice(1).map((end, index) => order.slice(boundaries[index], end));
}

function tooMany(space: CutSpace, count: number): SlicedInferenceError {
  const { order, model } = space.dataflow;
  const most = space.legal.length + 1;
  const total = model.graph.nodes.length;
  if (count > order.length) {
    return new SlicedInferenceError(
      `the model can be cut into at most ${most} ${most === 1 ? 'slice' : 'slices'}`,
      order.length === total
        ? `${count} slices for its ${total} nodes`
        : `${count} slices for ${order.length} of its ${total} nodes (the others are constant or unused)`,
      'use fewer slices',
    );
  }
  const value = space.blocker.find((blocked) => blocked !== undefined);
  const reason =
    value === undefined
      ? ''
      : `; for example, ${quoted(model.graph.values[value].name)} is ${space.rule(value)} and cannot cross a cut`;
  return new SlicedInferenceError(
    `the model can be cut into at most ${most} ${most === 1 ? 'slice' : 'slices'}`,
    `${count} slices${reason}`,
    'use fewer slices',
  );
}

function tooLarge(space: CutSpace, table: StretchTable, limit: SizeLimit): SlicedInferenceError {
  const { from, to, size } = table.firstTooLarge();
  const { order, model } = space.dataflow;
  const { limit: text, got, advice } = limit.describe(size);
  const first = nodeLabel(model.graph.nodes[order[from]]);
  const nodes =
    to - from === 1 ? first : `the ${to - from} nodes from ${first} on, which no legal cut separates`;
  return new SlicedInferenceError(`each slice must ${text}`, `${got} for ${nodes}`, advice);
}
