/**
 * Chooses among plans that are about equally good, so that a small change of sizes rarely moves a cut.
 *
 * Two plans may differ by less than the estimates are off. So stretches get a small surcharge on their price for the bytes
 * that they move and for being larger than others. The surcharges of the best plan add up to at most `TOLERANCE` of its
 * price, so the settled plan costs at most that much more. For the fastest plan, the search takes the cheapest plan that is
 * at most `TOLERANCE` slower.
 */
import type { SliceSize } from '../sizes/estimate';
import { memoryMb } from '../sizes/estimate';
import { demandOf } from './step-table';
import type { Found } from './incumbents';
import { stepsOf } from './labels';
import { bestPlan } from './optimum';
import type { PlanRequest } from './plan-request';
import type { StretchTable } from './stretch-table';
import { sizesOf } from './stretch-plan';

/** Share of the price, or of the time, that stable cuts may cost. */
export const TOLERANCE = 0.01;

/** Fewer bytes than this for each slice hardly matter: reading them takes less time than waiting for the first of them. */
const NEGLIGIBLE_BYTES = 256 * 1024;

/** Share of its price that a plan of a fixed number of slices may cost in addition, if all its time is loading. */
const LOADING_TOLERANCE = 0.1;

/** @param best the best plan for the request */
export function settled(table: StretchTable, request: PlanRequest, best: Found): Found {
  if (stepsOf(best.label).length === 1 && request.minimize === 'slices') return best;
  const limits =
    request.minimize === 'latency'
      ? {
          minimize: 'cost' as const,
          maxLatencyMs: Math.min(
            (1 + TOLERANCE) * best.cost.latency[request.quantile],
            request.maxLatencyMs ?? Infinity,
          ),
        }
      : {};
  return bestPlan(table, { ...request, ...limits }, surchargeBy(sizesOf(table, best.label), best, 0)) ?? best;
}

/**
 * Makes the weights of the slices about even, as far as loading is a part of a cold run: slices load in parallel, so a cold
 * run waits for the largest one.
 *
 * @param best the cheapest plan for the request
 */
export function evenlyLoaded(table: StretchTable, request: PlanRequest, best: Found): Found {
  const { model } = request;
  const sizes = sizesOf(table, best.label);
  const loadMs = (size: SliceSize, fileBytes: number): number =>
    model.step({ ...demandOf(size), fileBytes }, { ...CHOICE, ...best.shared, memoryMb: memoryMb(size) })
      .loadMs;
  const loading = sumOf(sizes, (size) => loadMs(size, size.weightBytes) - loadMs(size, 0));
  const share = Math.min(1, ratio(loading, model.run(best.totals, 'cold').latency.p50));
  return bestPlan(table, request, surchargeBy(sizes, best, LOADING_TOLERANCE * share)) ?? best;
}

const CHOICE = { readsFrom: 'request', writesTo: 's3-standard' } as const;

/** @param loading share of the price that all weights in one slice would cost */
function surchargeBy(
  sizes: readonly SliceSize[],
  { cost, label }: Found,
  loading: number,
): (size: SliceSize) => number {
  const weightBytes = sumOf(sizes, (size) => size.weightBytes);
  const coreSeconds = sumOf(sizes, (size) => size.coreSeconds);
  const movedBytes = Math.max(label.movedBytes, NEGLIGIBLE_BYTES * sizes.length);
  return (size) => {
    const moved = ratio(size.readBytes + size.writeBytes, movedBytes);
    const weights = ratio(size.weightBytes, weightBytes);
    const share = (weights + ratio(size.coreSeconds, coreSeconds)) / 2;
    return cost.dollars * (TOLERANCE * (moved / 2 + share ** 2 / 2) + loading * weights ** 2);
  };
}

function sumOf(sizes: readonly SliceSize[], number: (size: SliceSize) => number): number {
  return sizes.reduce((sum, size) => sum + number(size), 0);
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
