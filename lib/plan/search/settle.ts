/**
 * Chooses among plans that are about equally good, so that a small change of sizes rarely moves a cut.
 *
 * Two plans may differ by less than the estimates are off. So stretches get a small surcharge on their price for the bytes
 * that they move and for being larger than others. The surcharges of the best plan add up to at most `TOLERANCE` of its
 * price, so the settled plan costs at most that much more. For the fastest plan, the search takes the cheapest plan that is
 * at most `TOLERANCE` slower.
 */
import type { SliceSize } from '../sizes/estimate';
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

/**
 * @param best the best plan for the request
 * @param tolerance the share of its price, or of its time, that the settled plan may cost in addition
 */
export function settled(table: StretchTable, request: PlanRequest, best: Found, tolerance = TOLERANCE): Found {
  if (stepsOf(best.label).length === 1 && request.minimize === 'slices') return best;
  const limits =
    request.minimize === 'latency'
      ? {
          minimize: 'cost' as const,
          maxLatencyMs: Math.min(
            (1 + tolerance) * best.cost.latency[request.quantile],
            request.maxLatencyMs ?? Infinity,
          ),
        }
      : {};
  return bestPlan(table, { ...request, ...limits }, surchargeBy(sizesOf(table, best.label), best, tolerance)) ?? best;
}

function surchargeBy(
  sizes: readonly SliceSize[],
  { cost, label }: Found,
  tolerance: number,
): (size: SliceSize) => number {
  const weightBytes = sumOf(sizes, (size) => size.weightBytes);
  const coreSeconds = sumOf(sizes, (size) => size.coreSeconds);
  const movedBytes = Math.max(label.movedBytes, NEGLIGIBLE_BYTES * sizes.length);
  const most = tolerance * cost.dollars;
  return (size) => {
    const moved = ratio(size.readBytes + size.writeBytes, movedBytes);
    const share = (ratio(size.weightBytes, weightBytes) + ratio(size.coreSeconds, coreSeconds)) / 2;
    return most * (moved / 2 + share ** 2 / 2);
  };
}

function sumOf(sizes: readonly SliceSize[], number: (size: SliceSize) => number): number {
  return sizes.reduce((sum, size) => sum + number(size), 0);
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
