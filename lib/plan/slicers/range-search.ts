/** The best slices of a range of nodes for an objective and limits. */
import { type CutSpace, candidateCuts, candidateLimit } from '../cuts/cuts';
import { type Range, sizeRanges } from '../cuts/range-sizes';
import { SlicedInferenceError } from '../../errors';
import { largestOf } from '../../extremes';
import { type PlanRequest, closestGoals, DEFAULT_GOAL } from '../goal';
import * as cutting from '../search/cut-graph';
import { memoryOf, pathOf } from '../search/label';
import { bestPath } from '../search/label-setting';
import type { Found } from '../search/pruning';
import { gapOf, settled } from '../search/even-path';
import type { Choice } from './slicer';
import { SliceTooLargeError } from './too-large';
import { MAX_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';

/** Prices of edges that one search computes at most, so that it takes less than a second. */
const MAX_PRICES = 100_000;

/** Of at most so many cuts, the search finds the best plan; of more, one that is at most `LARGE_EPSILON` worse. */
const MAX_EXACT_CUTS = 24;
const LARGE_EPSILON = 0.01;

/** If time counts, more labels stay comparable, so the search compares fewer cuts... */
const MAX_TIMED_CANDIDATES = 32;
/** ...and still fewer if both time and dollars count... */
const MAX_TIMED_PRICED_CANDIDATES = 20;
/** ...and each slice may take or cost so much more, as a share, if not all plans are compared exactly. */
const STEP_EPSILON = 0.002;

/** The searches in one range within one limit on sizes, which share their graphs. */
export class RangeSearch {
  private readonly legal: readonly number[];
  private readonly filled: FilledSlices;
  private readonly graphs = new Map<number, cutting.CutGraph>();

  constructor(
    private readonly space: CutSpace,
    private readonly limit: cutting.SizeLimit,
    private readonly range: Range = cutting.whole(space),
  ) {
    this.legal = cutting.legalIn(space, range);
    this.filled = filledSlices(space, this.legal, range, limit);
  }

  /**
   * Plans that may be the best one of the range, the most even one first. The model of cost knows more of a complete
   * plan than the search, so the best one is to be chosen by that. If no plan seems to keep the limits, the plans that
   * come closest.
   */
  plans(request: PlanRequest): readonly Choice[] {
    const graph = this.graph(request);
    const priced = cutting.pricedGraph(graph, request);
    const cuts = graph.vertices.length - 2;
    const comparedAllCuts = this.isOne(request) || cuts === this.legal.length;
    const epsilon = comparedAllCuts && cuts <= MAX_EXACT_CUTS ? 0 : LARGE_EPSILON;
    const stepEpsilon = epsilon > 0 && isTimed(request) ? STEP_EPSILON : 0;
    const own = { ...request, epsilon };
    // Plans that are only just within the limits are found without this share.
    const found = closestPlans(
      own,
      (each) =>
        bestPath(priced, { ...each, stepEpsilon }) ?? (stepEpsilon > 0 ? bestPath(priced, each) : undefined),
    );
    if (found.length === 0) throw this.noPlan(graph, request);
    const [best] = found;
    const even = found.length > 1 ? [] : [settled(graph, priced, own, best)];
    return [...new Set([...even, ...found])].map((plan) => {
      const gap = gapOf(own, plan, best);
      // The best plan may have other slices than the plan that was found, up to one between each two cuts.
      const steps = request.slices ?? cuts + 1;
      const tolerance = (1 + gap) * (1 + epsilon) * (1 + stepEpsilon) ** steps - 1;
      const quality = { gap, tolerance, comparedCuts: cuts, comparedAllCuts };
      const { temperature } = request;
      const settings = { ...settingsOf(plan, request, priced, this.space), temperature };
      return { groups: graph.groupsOf(pathOf(plan.label)), settings, quality };
    });
  }

  private isOne({ maxLatencyMs, maxDollars, minimize, slices = 1 }: PlanRequest): boolean {
    const isUnlimited = maxLatencyMs === undefined && maxDollars === undefined;
    const { cuts, tooLarge } = this.filled;
    return cuts.length === 0 && !tooLarge && isUnlimited && minimize === 'slices' && slices === 1;
  }

  private graph(request: PlanRequest): cutting.CutGraph {
    const { space, legal, range, limit, graphs } = this;
    const most = this.isOne(request) ? 0 : mostCuts(request, range);
    const cuts = most === 0 ? [] : candidateCuts(space, legal, most, this.filled.cuts);
    const graph = graphs.get(most) ?? cutting.CutGraph.of(space, cuts, range, limit);
    graphs.set(most, graph);
    return graph;
  }

  private noPlan(graph: cutting.CutGraph, { maxSlices }: PlanRequest): SlicedInferenceError {
    const range = this.filled.tooLarge ?? graph.tooLarge;
    if (range !== undefined) {
      const { from: start, to: end, size } = range;
      return SliceTooLargeError.of(this.space, { start, end }, this.limit, size);
    }
    return new SlicedInferenceError(
      `a plan must have at most ${maxSlices} slices`,
      'more slices in every plan within the memory',
      'raise the memory that a function may have',
    );
  }
}

/** The best plan; if none seems to keep the limits, the fastest one, the fastest one within the cost and the cheapest one. */
export function closestPlans(
  request: PlanRequest,
  bestOf: (request: PlanRequest) => Found | undefined,
): readonly Found[] {
  const best = bestOf(request);
  if (best !== undefined) return [best];
  return closestGoals(request).flatMap((change) => bestOf({ ...request, ...change }) ?? []);
}

function mostCuts(request: PlanRequest, { start, end }: Range): number {
  const affordable = Math.floor(Math.sqrt((2 * MAX_PRICES) / (1 + request.memorySizes.length)));
  return Math.min(candidateLimit(end - start), affordable, mostTimed(request));
}

function mostTimed(request: PlanRequest): number {
  if (!isTimed(request)) return Infinity;
  const isPriced = request.minimize !== 'latency' || request.maxDollars !== undefined;
  return isPriced ? MAX_TIMED_PRICED_CANDIDATES : MAX_TIMED_CANDIDATES;
}

function isTimed({ minimize, maxLatencyMs }: PlanRequest): boolean {
  return minimize === 'latency' || maxLatencyMs !== undefined;
}

function settingsOf(
  { label, cost }: Found,
  request: PlanRequest,
  { transport }: cutting.PricedGraph,
  space: CutSpace,
) {
  const memoryMb = memoryOf(label);
  // A slice with fewer vCPUs than that has no use for more threads.
  const threads = Math.min(request.threads, space.costs.threads(largestOf(memoryMb)));
  return { memoryMb, threads, transport, cost };
}

interface FilledSlices {
  /** None if everything fits into one slice, or if not everything fits. */
  readonly cuts: readonly number[];
  readonly tooLarge?: cutting.TooLarge;
}

/** Fills each slice with as many nodes as fit, so that the candidate cuts allow the fewest slices. */
function filledSlices(
  space: CutSpace,
  legal: readonly number[],
  { start, end }: Range,
  limit: cutting.SizeLimit,
): FilledSlices {
  const boundaries = [start, ...legal, end];
  const cuts: number[] = [];
  for (let from = 0; from < boundaries.length - 1;) {
    let furthest = from;
    let first: cutting.TooLarge | undefined;
    sizeRanges(space, boundaries, from, (to, size) => {
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

/** Each function gets the least memory that fits. It has the vCPUs of that memory, so no slice needs more threads. */
export function leastMemory(space: CutSpace): PlanRequest {
  return {
    ...DEFAULT_GOAL,
    minimize: 'cost',
    model: space.costs.model(),
    maxMemoryMb: Infinity,
    memorySizes: [],
    transport: 's3-standard',
    threads: space.costs.threads(MAX_LAMBDA_MEMORY_MB),
    maxSlices: Infinity,
  };
}
