/** The best slices for an objective and limits. */
import { SlicedInferenceError } from '../../errors';
import { nodeLabel } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import { candidateCuts, candidateLimit } from './candidates';
import { filledSlices } from './filled-slices';
import type { Found } from './incumbents';
import { searchedPlan, paretoFront } from './optimum';
import { groupsOf, legalIn, whole } from './partition';
import type { Choice, ChosenSettings, PlanRequest } from './plan-request';
import { SETTLED_TOLERANCE, gapOf, settled } from './settle';
import { stretchPlan } from './stretch-plan';
import type { SizeLimit, TooLarge } from './stretch-table';
import { StretchTable } from './stretch-table';
import type { Range } from './stretches';

/** Prices of stretches that one search computes at most, so that it takes less than a second. */
const MAX_PRICES = 100_000;

/** Of at most so many cuts, the search finds the best plan; of more, one that is at most `LARGE_EPSILON` worse. */
export const MAX_EXACT_CUTS = 24;
export const LARGE_EPSILON = 0.01;

/** If time counts, more partial plans stay comparable, so the search compares fewer cuts... */
const MAX_TIMED_CANDIDATES = 32;
/** ...and still fewer if both time and dollars count... */
const MAX_TIMED_PRICED_CANDIDATES = 20;
/** ...and each slice may take or cost so much more, as a share, if not all plans are compared exactly. */
const STEP_EPSILON = 0.002;

/** A share of cost or time that no user notices; the front has fewer points for it. */
export const FRONT_EPSILON = 0.005;

/**
 * Plans that may be the best one of the range, the most even one first. The model of cost knows more of a complete plan than the search, so
 * the best one is to be chosen by that. If no plan seems to keep the limits, the plans that come closest.
 *
 * @throws SlicedInferenceError if nodes between two neighboring legal cuts exceed the limit on sizes, or if every plan has too many
 * slices
 */
export function candidatePlans(
  space: CutSpace,
  request: PlanRequest,
  limit: SizeLimit,
  range: Range = whole(space),
): readonly Choice[] {
  const legal = legalIn(space, range);
  const filled = filledSlices(space, legal, range, limit);
  const fitsOne = filled.cuts.length === 0 && filled.tooLarge === undefined;
  const isUnlimited = request.maxLatencyMs === undefined && request.maxDollars === undefined;
  const isOne = fitsOne && isUnlimited && request.minimize === 'slices' && (request.slices ?? 1) === 1;
  const cuts = isOne ? [] : candidateCuts(space, legal, mostCuts(request, range), filled.cuts);
  const table = StretchTable.of(space, cuts, range, limit);
  const comparedAllCuts = isOne || cuts.length === legal.length;
  const epsilon = comparedAllCuts && cuts.length <= MAX_EXACT_CUTS ? 0 : LARGE_EPSILON;
  const stepEpsilon = epsilon > 0 && isTimed(request) ? STEP_EPSILON : 0;
  // Without time, branches decide nothing.
  const own = { ...request, epsilon, sideBySide: request.sideBySide && isTimed(request) };
  // Plans that are only just within the limits are found without this share.
  const found = closestPlans(
    own,
    (each) =>
      searchedPlan(table, { ...each, stepEpsilon }) ??
      (stepEpsilon > 0 ? searchedPlan(table, each) : undefined),
  );
  if (found.length === 0) throw noPlan(space, table, own, limit, filled.tooLarge);
  const [best] = found;
  const even = found.length > 1 ? [] : [settled(table, own, best, SETTLED_TOLERANCE)];
  return [...new Set([...even, ...found])].map((plan) => {
    const gap = gapOf(own, plan, best);
    // The best plan may have other slices than the plan that was found, up to one between each two cuts.
    const steps = request.slices ?? cuts.length + 1;
    return {
      groups: groupsOf(space, stretchPlan(table, own, plan)),
      settings: settingsOf(table, own, plan),
      quality: {
        gap,
        tolerance: (1 + gap) * (1 + epsilon) * (1 + stepEpsilon) ** steps - 1,
        comparedCuts: cuts.length,
        comparedAllCuts,
      },
    };
  });
}

/** The most even one of the best plans of the range. */
export function optimalSlices(
  space: CutSpace,
  request: PlanRequest,
  limit: SizeLimit,
  range?: Range,
): Choice {
  return candidatePlans(space, request, limit, range)[0];
}

/** The best plan; if none seems to keep the limits, the fastest one, the fastest one within the cost and the cheapest one. */
export function closestPlans(
  request: PlanRequest,
  bestOf: (request: PlanRequest) => Found | undefined,
): readonly Found[] {
  const best = bestOf(request);
  if (best !== undefined) return [best];
  const { maxDollars } = request;
  const unlimited = { ...request, maxLatencyMs: undefined, maxDollars: undefined };
  const searches: PlanRequest[] = [
    { ...unlimited, minimize: 'latency' },
    ...(maxDollars === undefined ? [] : [{ ...unlimited, maxDollars, minimize: 'latency' as const }]),
    { ...unlimited, minimize: 'cost' },
  ];
  return searches.flatMap((search) => bestOf(search) ?? []);
}

/** The number of cuts that the search can compare in less than a second. */
function mostCuts(request: PlanRequest, { start, end }: Range): number {
  const { transports, threads, memorySizes } = request;
  const options = transports.length * threads.length * (1 + memorySizes.length);
  const affordable = Math.floor(Math.sqrt((2 * MAX_PRICES) / options));
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

function settingsOf(table: StretchTable, request: PlanRequest, found: Found): ChosenSettings {
  const { stretches, threads, transport, cost } = stretchPlan(table, request, found);
  return {
    memoryMb: stretches.map(({ memoryMb }) => memoryMb),
    ...{ threads, transport, cost },
    temperature: request.temperature,
    front: () =>
      paretoFront(table, { ...request, epsilon: FRONT_EPSILON }).map((point) => {
        const plan = stretchPlan(table, request, point);
        return {
          slices: plan.stretches.length,
          memoryMb: plan.stretches.map(({ memoryMb }) => memoryMb),
          threads: plan.threads,
          transport: plan.transport,
          cuts: plan.stretches.slice(1).map(({ start }) => start),
          cost: plan.cost,
        };
      }),
  };
}

function noPlan(
  space: CutSpace,
  table: StretchTable,
  { maxSlices }: PlanRequest,
  limit: SizeLimit,
  filled: TooLarge | undefined,
): SlicedInferenceError {
  const stretch = filled ?? table.tooLarge;
  if (stretch !== undefined) return tooLarge(space, stretch, limit);
  return new SlicedInferenceError(
    `a plan must have at most ${maxSlices} slices`,
    'more slices in every plan within the memory',
    'raise the memory that a function may have',
  );
}

function tooLarge(space: CutSpace, { from, to, size }: TooLarge, limit: SizeLimit): SlicedInferenceError {
  const { order, model } = space.dataflow;
  const { limit: text, got, advice } = limit.describe(size);
  const first = nodeLabel(model.graph.nodes[order[from]]);
  const nodes =
    to - from === 1 ? first : `the ${to - from} nodes from ${first} on, which no legal cut separates`;
  return new SlicedInferenceError(`each slice must ${text}`, `${got} for ${nodes}`, advice);
}
