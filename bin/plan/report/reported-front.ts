/** The Pareto front of plans with any number of slices, priced as their state machines run them, and the plan beside it. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import type { RunCost } from '../../../lib/cost/chain';
import type { DetailedCostModel } from '../../../lib/cost/model';
import { SlicedInferenceError } from '../../../lib/errors';
import { type CutSpace, spacesOf } from '../../../lib/plan/cuts/cuts';
import { pricedPlan } from '../../../lib/plan/pricing/price';
import { scheduleSlices } from '../../../lib/plan/schedule/schedule';
import {
  type FrontPoint as SearchedPoint,
  FRONT_EPSILON,
  RangeSearch,
} from '../../../lib/plan/slicers/range-search';
import { automatic } from '../../../lib/plan/slicers';
import { DEFAULT_MAX_MEMORY_MB, MAX_LAMBDA_MEMORY_MB } from '../../../lib/plan/sizes/lambda-quotas';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { wireSlices } from '../../../lib/plan/wiring/wiring';
import type { FrontPoint, ParetoFront } from '../plan-report';
import type { ReportRequest } from './report-request';
import { reportedRun, runCost } from './reported-runs';

/** The plan of the report: its cost at the temperature of the request. */
export type OwnPlan = Omit<SearchedPoint, 'slices'>;

export function reportedFront(
  { cuts }: AnalyzedModel,
  model: DetailedCostModel,
  own: OwnPlan,
  request: ReportRequest,
): ParetoFront {
  const { temperature, quantile } = request.goal;
  const fronts = spacesOf(cuts).map((space) => ({ space, few: withFewCuts(space, own) }));
  const plan = pointOf({ ...own, slices: own.memoryMb.length }, own.cost);
  const searched = fronts.flatMap(({ space, few }) =>
    searchedFront(few, own, request).map((point) => repriced(space, model, point, request)),
  );
  return {
    ...{ temperature, quantile, plan, ...withPlan(searched, plan, quantile) },
    comparedCuts: Math.max(...fronts.map(({ few }) => few.legal.length)),
    legalCuts: Math.max(...fronts.map(({ space }) => space.legal.length)),
    epsilon: FRONT_EPSILON,
  };
}

/** The plan of the report among the searched ones that it does not equal; no points if none was found. */
function withPlan(
  searched: readonly FrontPoint[],
  plan: FrontPoint,
  quantile: 'p50' | 'p95',
): { readonly points: readonly FrontPoint[]; readonly chosen?: number } {
  if (searched.length === 0) return { points: [] };
  const isPlan = (point: FrontPoint): boolean => JSON.stringify(point) === JSON.stringify(plan);
  const points = undominated([plan, ...searched.filter((point) => !isPlan(point))], quantile);
  const chosen = points.indexOf(plan);
  return { points, ...(chosen >= 0 && { chosen }) };
}

/** Cuts that the search for a front compares: the number of plans that stay comparable grows fast with it. */
const MOST_CUTS = 14;

/** The cuts of the plan, if they are legal here, and of each part of the legal cuts the one that the fewest bytes cross. */
function withFewCuts(space: CutSpace, own: OwnPlan): CutSpace {
  const { legal, crossingBytes } = space;
  if (legal.length <= MOST_CUTS) return space;
  const ofPlan = own.cuts.filter((cut) => legal.includes(cut)).slice(0, MOST_CUTS - 1);
  const parts = MOST_CUTS - ofPlan.length;
  const few = Array.from({ length: parts }, (_, part) => {
    const start = Math.floor((part * legal.length) / parts);
    const end = Math.floor(((part + 1) * legal.length) / parts);
    return legal.slice(start, end).reduce((a, b) => (crossingBytes[b] < crossingBytes[a] ? b : a));
  });
  return { ...space, legal: [...new Set([...ofPlan, ...few])].sort((a, b) => a - b) };
}

/** Without limits on cost and latency, so that the front shows what other limits would reach. */
function searchedFront(space: CutSpace, own: OwnPlan, request: ReportRequest): readonly SearchedPoint[] {
  const { goal, maxMemoryMb = DEFAULT_MAX_MEMORY_MB, transport } = request;
  const { temperature, quantile, requestsPerHour } = goal;
  const slicer = automatic({
    minimize: 'cost',
    maxMemorySize: Math.min(MAX_LAMBDA_MEMORY_MB, Math.max(maxMemoryMb, ...own.memoryMb)),
    ...{ temperature, quantile, requestsPerHour, transport },
  });
  try {
    const { request: search, limit } = slicer.search(space);
    return new RangeSearch(space, limit).front(search);
  } catch (error) {
    // No plan keeps within the memory of a function, such as when the user named too few cuts.
    if (error instanceof SlicedInferenceError) return [];
    throw error;
  }
}

/** The search prices chains of slices; a state machine may run some of them side by side. */
function repriced(
  { dataflow, bytes, costs }: CutSpace,
  model: DetailedCostModel,
  point: SearchedPoint,
  { goal }: ReportRequest,
): FrontPoint {
  const boundaries = [0, ...point.cuts, dataflow.order.length];
  const groups = boundaries.slice(1).map((end, slice) => dataflow.order.slice(boundaries[slice], end));
  const wiring = wireSlices(dataflow, groups);
  const sizes = sliceSizes(dataflow, wiring, bytes, costs);
  const { outputSecondsPerByte } = costs;
  const handedOn = { cut: { groups, dataflow, wiring }, bytes };
  const schedule = scheduleSlices({ slices: wiring.slices, outputs: wiring.results });
  const priced = pricedPlan(schedule, sizes, point, { model, outputSecondsPerByte }, handedOn);
  return pointOf(point, runCost(priced, goal.temperature));
}

function pointOf(
  { slices, memoryMb, threads, transport }: Omit<FrontPoint, 'dollarsPerMillion' | 'p50' | 'p95'>,
  cost: RunCost,
): FrontPoint {
  return { slices, memoryMb, threads, transport, ...reportedRun(cost) };
}

/** The cheapest first; of equal ones, the first. */
function undominated(points: readonly FrontPoint[], quantile: 'p50' | 'p95'): FrontPoint[] {
  const sorted = [...points].sort(
    (a, b) => a.dollarsPerMillion - b.dollarsPerMillion || a[quantile] - b[quantile],
  );
  let fastest = Infinity;
  return sorted.filter((point) => {
    if (point[quantile] >= fastest) return false;
    fastest = point[quantile];
    return true;
  });
}
