/** The best slices for an objective and limits. */
import { SlicedInferenceError } from '../../errors';
import { nodeLabel } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import { candidateCuts, candidateLimit } from './candidates';
import { filledSlices } from './filled-slices';
import type { Found } from './incumbents';
import { bestPlan, paretoFront } from './optimum';
import { groupsOf, legalIn, whole } from './partition';
import type { Choice, ChosenSettings, PlanRequest } from './plan-request';
import { EVEN_TOLERANCE, gapOf, settled } from './settle';
import { stretchPlan } from './stretch-plan';
import type { SizeLimit, TooLarge } from './stretch-table';
import { StretchTable } from './stretch-table';
import type { Range } from './stretches';
import { unreachable } from './unreachable';

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
  const filled = filledSlices(space, legal, range, limit);
  const fitsOne = filled.cuts.length === 0 && filled.tooLarge === undefined;
  const isUnlimited = request.maxLatencyMs === undefined && request.maxDollars === undefined;
  const isOne = fitsOne && isUnlimited && request.minimize === 'slices' && (request.slices ?? 1) === 1;
  const cuts = isOne ? [] : candidateCuts(space, legal, mostCuts(request, range), filled.cuts);
  const table = StretchTable.of(space, cuts, range, limit);
  const comparedAllCuts = isOne || cuts.length === legal.length;
  const epsilon = comparedAllCuts && cuts.length <= MAX_EXACT_CUTS ? 0 : LARGE_EPSILON;
  const stepEpsilon = epsilon > 0 && isTimed(request) ? STEP_EPSILON : 0;
  const own = { ...request, epsilon };
  // Plans that are only just within the limits are found without this share.
  const best =
    bestPlan(table, { ...own, stepEpsilon }) ?? (stepEpsilon > 0 ? bestPlan(table, own) : undefined);
  if (best === undefined) throw noPlan(space, table, own, limit, filled.tooLarge);
  const found = settled(table, own, best, EVEN_TOLERANCE);
  const gap = gapOf(own, found, best);
  // The best plan may have other slices than the plan that was found, up to one between each two cuts.
  const steps = request.slices ?? cuts.length + 1;
  return {
    groups: groupsOf(space, stretchPlan(table, own, found)),
    settings: settingsOf(table, own, found),
    quality: {
      gap,
      tolerance: (1 + gap) * (1 + epsilon) * (1 + stepEpsilon) ** steps - 1,
      comparedCuts: cuts.length,
      comparedAllCuts,
    },
  };
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
  const { stretches, threads, transport, cost, totals } = stretchPlan(table, request, found);
  return {
    memoryMb: stretches.map(({ memoryMb }) => memoryMb),
    ...{ threads, transport, cost, totals },
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
  request: PlanRequest,
  limit: SizeLimit,
  filled: TooLarge | undefined,
): SlicedInferenceError {
  const stretch = filled ?? table.tooLarge;
  const withoutLimits = { ...request, maxLatencyMs: undefined, maxDollars: undefined };
  return stretch !== undefined && bestPlan(table, { ...withoutLimits, minimize: 'slices' }) === undefined
    ? tooLarge(space, stretch, limit)
    : unreachable(table, request);
}

function tooLarge(space: CutSpace, { from, to, size }: TooLarge, limit: SizeLimit): SlicedInferenceError {
  const { order, model } = space.dataflow;
  const { limit: text, got, advice } = limit.describe(size);
  const first = nodeLabel(model.graph.nodes[order[from]]);
  const nodes =
    to - from === 1 ? first : `the ${to - from} nodes from ${first} on, which no legal cut separates`;
  return new SlicedInferenceError(`each slice must ${text}`, `${got} for ${nodes}`, advice);
}
