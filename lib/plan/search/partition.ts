/** Cuts a range of the order of nodes: as a request asks, or into a fixed number of slices. */
import { SlicedInferenceError, quoted } from '../../errors';
import { nodeLabel } from '../../onnx/model';
import { WeightTable } from '../../dataflow/weights';
import type { CutSpace } from '../cuts/cuts';
import { threadCount } from '../sizes/estimate';
import { MAX_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';
import { equalCuts, greedyCuts } from './baselines';
import { candidateCuts, candidateLimit } from './candidates';
import { unreachable } from './unreachable';
import { bestPlan, paretoFront, quickPlan } from './optimum';
import type { ChosenSettings, Choice, PlanRequest, StretchPlan } from './plan-request';
import { settled, toleranceOf } from './settle';
import { planAt, stretchPlan } from './stretch-plan';
import type { SizeLimit } from './stretch-table';
import { StretchTable } from './stretch-table';
import type { Range } from './stretches';
import { sizeStretches } from './stretches';
import { smallestOf } from '../../extremes';

/** Up to this fixed number of slices, the search is exact; its time grows with the number. */
const MAX_EXACT_SLICES = 64;

/** Candidates for each slice, if a large number of slices is requested. */
const CANDIDATES_PER_SLICE = 4;

/** Prices of stretches that one search computes at most, so that it takes less than a second. */
const MAX_PRICES = 100_000;

/** Of at most so many cuts, the search finds the best plan; of more, one that is at most `LARGE_EPSILON` worse. */
const MAX_EXACT_CUTS = 24;
const LARGE_EPSILON = 0.01;

/** If time counts, more partial plans stay comparable, so the search compares fewer cuts. */
const MAX_TIMED_CANDIDATES = 32;

/** A share of cost or time that no user notices; the front has fewer points for it. */
const FRONT_EPSILON = 0.005;

/**
 * The best plan of the range.
 *
 * @throws SlicedInferenceError if nodes between two neighboring legal cuts exceed the limit on sizes, or if no plan keeps
 * the limits of the request
 */
export function optimalSlices(
  space: CutSpace,
  request: PlanRequest,
  limit: SizeLimit,
  range: Range = whole(space),
): Choice {
  const legal = legalIn(space, range);
  const options = request.transports.length * request.threads.length * (1 + request.memorySizes.length);
  const affordable = Math.floor(Math.sqrt((2 * MAX_PRICES) / options));
  const isTimed = request.minimize === 'latency' || request.maxLatencyMs !== undefined;
  const most = Math.min(
    candidateLimit(range.end - range.start),
    affordable,
    isTimed ? MAX_TIMED_CANDIDATES : Infinity,
  );
  const filled = filledUp(space, legal, range, limit);
  const fitsOne = filled.cuts.length === 0 && filled.tooLarge === undefined;
  const isUnlimited = request.maxLatencyMs === undefined && request.maxDollars === undefined;
  const cuts =
    fitsOne && isUnlimited && request.minimize === 'slices'
      ? []
      : candidateCuts(space, legal, most, filled.cuts);
  const table = new StretchTable(space, cuts, range, limit);
  const comparedAllCuts = cuts.length === legal.length || cuts.length === 0;
  const isExact = comparedAllCuts && cuts.length <= MAX_EXACT_CUTS;
  const own = isExact ? request : { ...request, epsilon: LARGE_EPSILON };
  const best = bestPlan(table, own);
  if (best === undefined) {
    const withoutLimits = { ...own, maxLatencyMs: undefined, maxDollars: undefined };
    const tooLargeStretch = filled.tooLarge ?? table.firstTooLarge();
    if (
      bestPlan(table, { ...withoutLimits, minimize: 'slices' }) === undefined &&
      tooLargeStretch !== undefined
    )
      throw tooLarge(space, tooLargeStretch, limit);
    throw unreachable(table, own);
  }
  const plan = stretchPlan(table, own, settled(table, own, best));
  return {
    groups: groupsOf(space, plan),
    settings: settingsOf(plan, own, comparedAllCuts, table),
  };
}

function settingsOf(
  plan: StretchPlan,
  request: PlanRequest,
  comparedAllCuts: boolean,
  table: StretchTable,
): ChosenSettings {
  return {
    memoryMb: plan.stretches.map(({ memoryMb }) => memoryMb),
    threads: plan.threads,
    transport: plan.transport,
    temperature: request.temperature,
    cost: plan.cost,
    totals: plan.totals,
    tolerance: (1 + toleranceOf(request.minimize)) * (1 + (request.epsilon ?? 0)) - 1,
    comparedAllCuts,
    front: () =>
      paretoFront(table, { ...request, epsilon: FRONT_EPSILON }).map((found) => {
        const { stretches, threads, transport, cost } = stretchPlan(table, request, found);
        return {
          slices: stretches.length,
          memoryMb: stretches.map(({ memoryMb }) => memoryMb),
          threads,
          transport,
          cuts: stretches.slice(1).map(({ start }) => start),
          cost,
        };
      }),
  };
}

/** Fills slice after slice with as many nodes as fit. */
function filledUp(
  space: CutSpace,
  legal: readonly number[],
  { start, end }: Range,
  limit: SizeLimit,
): {
  readonly cuts: readonly number[];
  readonly tooLarge?: NonNullable<ReturnType<StretchTable['firstTooLarge']>>;
} {
  const boundaries = [start, ...legal, end];
  const weights = new WeightTable(space.dataflow, space.bytes);
  const cuts: number[] = [];
  for (let from = 0; from < boundaries.length - 1;) {
    let furthest = from;
    let first: NonNullable<ReturnType<StretchTable['firstTooLarge']>> | undefined;
    sizeStretches(space, weights, boundaries, from, (to, size) => {
      const fits = limit.fits(size);
      if (fits) furthest = to;
      first ??= { from: boundaries[from], to: boundaries[to], size };
      return fits || !limit.isHopeless(size);
    });
    if (furthest === from) return { cuts: [], ...(first && { tooLarge: first }) };
    if (furthest < boundaries.length - 1) cuts.push(boundaries[furthest]);
    from = furthest;
  }
  return { cuts };
}

/**
 * Exactly `count` slices of the range: the cheapest ones of those that move no more bytes than slices with equal numbers of
 * nodes and than slices that are filled up one after another.
 *
 * @param request its number of slices and limit on bytes are replaced
 * @throws SlicedInferenceError if the range has fewer than `count - 1` legal cuts
 */
export function countedSlices(
  space: CutSpace,
  count: number,
  request: PlanRequest,
  range: Range = whole(space),
): Choice {
  const legal = legalIn(space, range);
  if (count - 1 > legal.length) throw tooMany(space, count);
  if (count - 1 === legal.length) return { groups: split(space, legal, range) };
  const most = candidateLimit(range.end - range.start);
  if (count - 1 > most) return { groups: split(space, cheapestCuts(space, legal, count), range) };
  const baselines = [equalCuts(legal, range, count), greedyCuts(space, legal, range, count)];
  const limit = Math.max(most, Math.min(CANDIDATES_PER_SLICE * count, 2 * most));
  const table = new StretchTable(space, candidateCuts(space, legal, limit, baselines.flat()), range);
  const ways = baselines.map((cuts) => planAt(table, request, cuts));
  const epsilon = table.boundaries.length > MAX_EXACT_CUTS ? LARGE_EPSILON : 0;
  const own = {
    ...request,
    epsilon,
    slices: count,
    maxMovedBytes: smallestOf(ways.map(({ movedBytes }) => movedBytes)),
  };
  const best = count > MAX_EXACT_SLICES ? quickPlan(table, own) : bestPlan(table, own);
  if (best === undefined) throw new Error('the simple ways keep the limits');
  const maxDollars = Math.max(best.cost.dollars, smallestOf(ways.map(({ cost }) => cost.dollars)));
  return { groups: groupsOf(space, stretchPlan(table, own, settled(table, { ...own, maxDollars }, best))) };
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

/** The legal cuts inside the range. */
export function legalIn({ legal }: CutSpace, { start, end }: Range): readonly number[] {
  return legal.filter((cut) => cut > start && cut < end);
}

/** Every number of threads that a function with this memory has vCPUs for. */
export function threadsWithin(maxMemoryMb: number): readonly number[] {
  return Array.from(
    { length: threadCount(Math.min(maxMemoryMb, MAX_LAMBDA_MEMORY_MB)) },
    (_, index) => index + 1,
  );
}

function whole({ dataflow }: CutSpace): Range {
  return { start: 0, end: dataflow.order.length };
}

function groupsOf({ dataflow }: CutSpace, { stretches }: StretchPlan): Choice['groups'] {
  return stretches.map(({ start, end }) => dataflow.order.slice(start, end));
}

function split(space: CutSpace, cuts: readonly number[], { start, end: last }: Range): Choice['groups'] {
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

function tooLarge(
  space: CutSpace,
  { from, to, size }: NonNullable<ReturnType<StretchTable['firstTooLarge']>>,
  limit: SizeLimit,
): SlicedInferenceError {
  const { order, model } = space.dataflow;
  const { limit: text, got, advice } = limit.describe(size);
  const first = nodeLabel(model.graph.nodes[order[from]]);
  const nodes =
    to - from === 1 ? first : `the ${to - from} nodes from ${first} on, which no legal cut separates`;
  return new SlicedInferenceError(`each slice must ${text}`, `${got} for ${nodes}`, advice);
}
