/** Chooses among the legal cuts: the fewest slices within a limit, or a given number of even ones. */
import { SlicedInferenceError, quoted } from '../../errors';
import type { NodeIndex } from '../../onnx/model';
import { nodeLabel } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import { sizeStretches } from './stretches';
import { WeightTable } from '../../dataflow/weights';
import type { SliceSize } from '../sizes/estimate';

/** A slice's own nodes, slice by slice. */
export type Groups = readonly (readonly NodeIndex[])[];

/**
 * Most cuts that the search compares with each other; its time grows with their square. Of more legal cuts, those
 * with the fewest crossing bytes in their neighborhood are taken.
 */
const MAX_CANDIDATES = 768;

/** The largest of a given number of slices may be this much larger than in the most even split, to move less. */
const LARGEST_TOLERANCE = 1.1;
/** The smallest may be this much smaller: that costs nobody memory, but a slice of nothing would be no slice. */
const SMALLEST_TOLERANCE = 2;

/** The fewest slices that all satisfy `fits`, and among those the cuts with the fewest bytes moved. */
export function fewestSlices(space: CutSpace, limit: SizeLimit, range: Range = whole(space)): Groups {
  const table = new StretchTable(space, candidates(space, legalIn(space, range)), limit, range);
  const cuts = table.cheapest();
  if (cuts === undefined) throw tooLarge(space, table, limit);
  return split(space, cuts, range);
}

/** Places of `CutSpace.order` from `start` up to `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

function whole({ dataflow }: CutSpace): Range {
  return { start: 0, end: dataflow.order.length };
}

/** The legal cuts inside the range. */
export function legalIn({ legal }: CutSpace, { start, end }: Range): readonly number[] {
  return legal.filter((cut) => cut > start && cut < end);
}

/** A limit that a slice's size keeps or not. */
export interface SizeLimit {
  fits(size: SliceSize): boolean;
  /** Whether every longer stretch breaks the limit too. What is written may become less with length. */
  isHopeless(size: SliceSize): boolean;
  /** How an error describes the limit and a size that breaks it. */
  describe(size: SliceSize): { readonly limit: string; readonly got: string; readonly advice: string };
}

/** Exactly `count` slices, as even as can be by the memory they need, then with the fewest bytes moved. */
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
    // More slices than a search is worth: the cuts that cost least.
    const cheapest = [...legal].sort((a, b) => space.crossingBytes[a] - space.crossingBytes[b] || a - b);
    const cuts = cheapest.slice(0, count - 1).sort((a, b) => a - b);
    return split(space, cuts, range);
  }
  const everything = new StretchTable(
    space,
    candidates(space, legal),
    { fits: () => true, isHopeless: () => false, describe: unreachable },
    range,
  );
  const most = everything.smallestLargest(count, need) * LARGEST_TOLERANCE;
  const least = everything.largestSmallest(count, need, most) / SMALLEST_TOLERANCE;
  const fits = (size: SliceSize): boolean => need(size) >= least && need(size) <= most;
  return split(space, everything.cheapestOf(count, fits), range);
}

function unreachable(): never {
  throw new Error('a stretch without a limit cannot break it');
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
      'ask for fewer slices',
    );
  }
  const value = space.blocker.find((blocked) => blocked !== undefined);
  const reason =
    value === undefined
      ? ''
      : `; ${quoted(model.graph.values[value].name)}, for one, is ${space.rule(value)} and cannot cross a cut`;
  return new SlicedInferenceError(
    `the model can be cut into at most ${most} ${most === 1 ? 'slice' : 'slices'}`,
    `${count} slices${reason}`,
    'ask for fewer slices',
  );
}

function tooLarge(space: CutSpace, table: StretchTable, limit: SizeLimit): SlicedInferenceError {
  const { from, to, size } = table.firstUnfit();
  const { order, model } = space.dataflow;
  const { limit: text, got, advice } = limit.describe(size);
  const first = nodeLabel(model.graph.nodes[order[from]]);
  const where = to - from === 1 ? first : `the ${to - from} nodes from ${first} on, which no legal cut parts`;
  return new SlicedInferenceError(`each slice must ${text}`, `${got} for ${where}`, advice);
}

/** At most `MAX_CANDIDATES` legal cuts: in each of as many neighborhoods the one with the fewest crossing bytes. */
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

/** The sizes of all stretches between candidate cuts, with the dynamic programmes over them. */
class StretchTable {
  private readonly boundaries: readonly number[];
  /** By first boundary: the sizes up to each later boundary; `undefined` for one that breaks the limit. */
  private readonly stretches: readonly (readonly (SliceSize | undefined)[])[];
  private unfit: { from: number; to: number; size: SliceSize } | undefined;

  constructor(space: CutSpace, cuts: readonly number[], limit: SizeLimit, { start, end }: Range) {
    this.boundaries = [start, ...cuts, end];
    const weights = new WeightTable(space.dataflow, space.bytes);
    this.stretches = this.boundaries.slice(0, -1).map((from, index) => {
      const sizes: (SliceSize | undefined)[] = [];
      sizeStretches(space, weights, this.boundaries, index, (to, size) => {
        const fits = limit.fits(size);
        sizes.push(fits ? size : undefined);
        if (!fits && to === index + 1) this.unfit ??= { from, to: this.boundaries[to], size };
        return fits || !limit.isHopeless(size);
      });
      return sizes;
    });
  }

  /** A stretch between neighboring candidates that breaks the limit. */
  firstUnfit(): { from: number; to: number; size: SliceSize } {
    if (this.unfit === undefined) throw new Error('every stretch keeps the limit');
    return this.unfit;
  }

  /** The cuts of the fewest stretches, and of those with the fewest bytes moved; `undefined` when none exist. */
  cheapest(): readonly number[] | undefined {
    const best = this.boundaries.map(() => ({ count: Infinity, moved: Infinity, from: -1 }));
    best[0] = { count: 0, moved: 0, from: -1 };
    this.stretches.forEach((sizes, from) => {
      sizes.forEach((size, offset) => {
        if (size === undefined) return;
        const to = from + 1 + offset;
        const count = best[from].count + 1;
        const moved = best[from].moved + size.readBytes + size.writeBytes;
        if (count < best[to].count || (count === best[to].count && moved < best[to].moved)) {
          best[to] = { count, moved, from };
        }
      });
    });
    if (best[best.length - 1].count === Infinity) return undefined;
    const cuts: number[] = [];
    for (let at = best[best.length - 1].from; at > 0; at = best[at].from) cuts.unshift(this.boundaries[at]);
    return cuts;
  }

  /** The least that the neediest of `count` stretches can need. */
  smallestLargest(count: number, need: (size: SliceSize) => number): number {
    return this.search(count, need, Math.max, -Infinity).value;
  }

  /** The most that the least needy of `count` stretches can need when none needs more than `most`. */
  largestSmallest(count: number, need: (size: SliceSize) => number, most: number): number {
    const shortfall = (size: SliceSize): number => (need(size) <= most ? -need(size) : Infinity);
    return -this.search(count, shortfall, Math.max, -Infinity).value;
  }

  /** The cuts of exactly `count` stretches that fit: with the fewest bytes moved, then those that work most evenly. */
  cheapestOf(count: number, fits: (size: SliceSize) => boolean): readonly number[] {
    const work = ({ weightBytes, madeBytes }: SliceSize): number => weightBytes + madeBytes;
    let largest = 1;
    for (const sizes of this.stretches) {
      for (const size of sizes) if (size !== undefined) largest = Math.max(largest, work(size));
    }
    const total = this.boundaries.length * largest;
    const { cuts } = this.search(
      count,
      // The squares of shares add up to less than the one byte by which moved bytes differ.
      (size) => (fits(size) ? size.readBytes + size.writeBytes + (work(size) / total) ** 2 : Infinity),
      (sum, cost) => sum + cost,
      0,
    );
    return cuts;
  }

  /** Minimises the combined cost of exactly `count` stretches; `none` is the cost of no stretch. */
  private search(
    count: number,
    cost: (size: SliceSize) => number,
    combine: (sum: number, cost: number) => number,
    none: number,
  ): { value: number; cuts: readonly number[] } {
    const last = this.boundaries.length - 1;
    const costs = this.stretches.map((sizes) =>
      Float64Array.from(sizes, (size) => (size === undefined ? Infinity : cost(size))),
    );
    let reached = new Float64Array(last + 1).fill(Infinity);
    reached[0] = none;
    const cameFrom: Int32Array[] = [];
    for (let step = 1; step <= count; step++) {
      const next = new Float64Array(last + 1).fill(Infinity);
      const from = new Int32Array(last + 1).fill(-1);
      for (let start = step - 1; start < last; start++) {
        if (reached[start] === Infinity) continue;
        costs[start].forEach((stretchCost, offset) => {
          const value = combine(reached[start], stretchCost);
          const to = start + 1 + offset;
          if (value >= next[to]) return;
          next[to] = value;
          from[to] = start;
        });
      }
      cameFrom.push(from);
      reached = next;
    }
    const cuts: number[] = [];
    for (let step = count - 1, at = cameFrom[step][last]; step > 0; step--, at = cameFrom[step][at]) {
      cuts.unshift(this.boundaries[at]);
    }
    return { value: reached[last], cuts };
  }
}
