/** The slices of a fixed number. */
import { SlicedInferenceError, quoted } from '../../errors';
import { smallestOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import type { SliceSize } from '../sizes/estimate';
import { memoryMb } from '../sizes/estimate';
import { equalCuts, greedyCuts } from './baselines';
import { candidateCuts, candidateLimit } from './candidates';
import type { Found } from './incumbents';
import { LARGE_EPSILON, MAX_EXACT_CUTS } from './optimal-slices';
import { stepsOf } from './labels';
import { bestPlan, quickPlan } from './optimum';
import { groupsOf, legalIn, split, whole } from './partition';
import type { Caps, Choice, PlanRequest, StretchPlan } from './plan-request';
import { COUNTED_TOLERANCE, gapOf, settled } from './settle';
import { planAt, stretchPlan } from './stretch-plan';
import { StretchTable } from './stretch-table';
import type { Range } from './stretches';
import { mostForWorth, worthwhile } from './worth';

/** Up to this fixed number of slices, the search is exact; its time grows with the number. */
const MAX_EXACT_SLICES = 32;

/** Candidates for each slice, if a large number of slices is requested. */
const CANDIDATES_PER_SLICE = 4;

/** Sums in another order differ by less, as a share. */
const ROUNDING = 1e-9;

/** If no plan is within both caps, the search halves the share by which plans exceed them so many times. */
const HALVINGS = 14;

/** Options of `countedSlices`. */
export interface CountedOptions {
  /** @default - all nodes */
  readonly range?: Range;
  /** @default - those of the simple ways to cut this range */
  readonly caps?: Caps;
  /**
   * The most memory of a function in MB; slices that need more are only made if that cannot be avoided.
   *
   * @default Infinity
   */
  readonly maxMemoryMb?: number;
}

/**
 * Exactly `count` slices. Of those that move and cost no more than the caps, they are about as cheap as the cheapest ones, each is
 * worth a function if that is possible, and they are as even as possible.
 *
 * @param request its number of slices and limits on bytes and dollars are replaced
 * @throws SlicedInferenceError if the range has fewer than `count - 1` legal cuts
 */
export function countedSlices(
  space: CutSpace,
  count: number,
  request: PlanRequest,
  { range = whole(space), caps, maxMemoryMb = Infinity }: CountedOptions = {},
): Choice {
  const legal = legalIn(space, range);
  if (count - 1 > legal.length) throw tooMany(space, count);
  if (count - 1 === legal.length) return { groups: split(space, legal, range) };
  const candidates = candidateLimit(range.end - range.start);
  if (count - 1 > candidates) return { groups: split(space, cheapestCuts(space, legal, count), range) };
  const baselines = simpleCuts(space, count, range);
  const limit = Math.max(candidates, Math.min(CANDIDATES_PER_SLICE * count, 2 * candidates));
  const cuts = candidateCuts(space, legal, limit, baselines.flat());
  const all = StretchTable.of(space, cuts, range);
  const ways = baselines.map((simple) => planAt(all, request, simple));
  const table = fitting(all, { ...request, slices: count }, maxMemoryMb);
  const epsilon = cuts.length >= MAX_EXACT_CUTS ? LARGE_EPSILON : 0;
  const own = within({ ...request, epsilon, slices: count }, caps ?? capsOf(ways), table, ways);
  const cheapest = cheapestPlan(table, own);
  if (cheapest === undefined) throw new Error('a plan without limits exists');
  const most = mostForWorth(cheapest.label.movedBytes, cheapest.cost, count);
  const near = {
    ...own,
    maxDollars: Math.min(own.maxDollars, most.dollars),
    maxMovedBytes: Math.min(own.maxMovedBytes ?? Infinity, most.movedBytes),
  };
  const withWorth = worthwhile(table, count);
  const best = hasWorth(withWorth, cheapest) ? cheapest : cheapestPlan(withWorth, near);
  const found =
    best === undefined
      ? settled(table, near, cheapest, COUNTED_TOLERANCE)
      : settled(withWorth, near, best, COUNTED_TOLERANCE);
  const gap = gapOf(own, found, cheapest);
  return {
    groups: groupsOf(space, stretchPlan(table, own, found)),
    quality: {
      gap,
      tolerance: (1 + gap) * (1 + epsilon) - 1,
      comparedCuts: cuts.length,
      comparedAllCuts: cuts.length === legal.length,
    },
  };
}

/** The cuts of equal numbers of nodes and of greedy filling. */
export function simpleCuts(
  space: CutSpace,
  count: number,
  range: Range = whole(space),
): readonly (readonly number[])[] {
  const legal = legalIn(space, range);
  if (count - 1 > legal.length) return [];
  return [equalCuts(legal, range, count), greedyCuts(space, legal, range, count)];
}

/** The table in which only stretches are slices that fit into a function, if it has a plan. */
function fitting(table: StretchTable, request: PlanRequest, maxMemoryMb: number): StretchTable {
  const isTooLarge = (size: SliceSize): boolean => memoryMb(size) > maxMemoryMb;
  if (!table.stretches.some((sizes) => sizes.some((size) => size !== undefined && isTooLarge(size))))
    return table;
  const within = table.only((size) => !isTooLarge(size));
  return quickPlan(within, request) === undefined ? table : within;
}

/** Whether each slice of the plan may also be one in this table. */
function hasWorth({ stretches }: StretchTable, { label }: Found): boolean {
  return stepsOf(label).every(({ from, to }) => stretches[from][to - from - 1] !== undefined);
}

type Capped = PlanRequest & { readonly maxDollars: number };

/** The request with the least multiple of both caps that a plan keeps; one simple way keeps each cap of this space. */
function within(request: PlanRequest, caps: Caps, table: StretchTable, ways: readonly StretchPlan[]): Capped {
  const times = (factor: number): Capped => ({
    ...request,
    maxMovedBytes: Math.ceil(factor * caps.movedBytes),
    maxDollars: (1 + ROUNDING) * factor * caps.dollars,
  });
  if (cheapestPlan(table, times(1)) !== undefined) return times(1);
  const excess = ways.map(({ movedBytes, cost }) =>
    Math.max(ratio(movedBytes, caps.movedBytes), cost.dollars / caps.dollars),
  );
  let [low, high] = [1, smallestOf(excess)];
  if (high === Infinity) return { ...request, maxDollars: Infinity };
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (cheapestPlan(table, times(middle)) === undefined) low = middle;
    else high = middle;
  }
  // The simple ways may not fit into the memory of a function.
  return cheapestPlan(table, times(high)) === undefined ? { ...request, maxDollars: Infinity } : times(high);
}

function cheapestPlan(table: StretchTable, request: PlanRequest): Found | undefined {
  return (request.slices ?? 0) > MAX_EXACT_SLICES ? quickPlan(table, request) : bestPlan(table, request);
}

function capsOf(ways: readonly StretchPlan[]): Caps {
  return {
    movedBytes: smallestOf(ways.map(({ movedBytes }) => movedBytes)),
    dollars: smallestOf(ways.map(({ cost }) => cost.dollars)),
  };
}

function ratio(part: number, of: number): number {
  if (part <= of) return 1;
  return of > 0 ? part / of : Infinity;
}

/** The cuts with the fewest crossing bytes, for so many slices that a search would take too long. */
function cheapestCuts(
  { crossingBytes }: CutSpace,
  legal: readonly number[],
  count: number,
): readonly number[] {
  const cheapest = [...legal].sort((a, b) => crossingBytes[a] - crossingBytes[b] || a - b);
  return cheapest.slice(0, count - 1).sort((a, b) => a - b);
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
