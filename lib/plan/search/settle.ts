/**
 * Chooses the most even plan among those that are about as good as the best one. Two plans may differ by less than the
 * estimates are off; evenness does not depend on the planned sizes, so a small change of sizes rarely moves a cut.
 */
import type { SliceSize } from '../sizes/estimate';
import { unevenness } from './evenness';
import type { Found } from './incumbents';
import { Incumbents } from './incumbents';
import { lightest } from './first-plans';
import type { Label } from './labels';
import type { PlanRequest } from './plan-request';
import type { Step } from './step';
import { coldShareOf } from './step';
import { stepTableOf } from './step-table';
import type { StretchTable } from './stretch-table';

/** Share of the dollars and of the latency of the best plan that a more even plan may have in addition. */
export const SETTLED_TOLERANCE = 0.01;

/**
 * How many times the unevenness of equal slices all bytes moved weigh, and all dollars and milliseconds. Plans for small weights
 * are more even, and may be outside of the tolerance.
 */
const WEIGHTS = Array.from({ length: 20 }, (_, step) => 2 ** (step / 2)).map((cost) => ({
  bytes: cost / 64,
  cost,
}));

/** Factor on the bytes that the best plan moves which a settled plan may move at most. */
const MAX_MORE_BYTES = 1.5;

/** Fewer bytes than this for each slice hardly matter: reading them takes less time than waiting for the first of them. */
const NEGLIGIBLE_BYTES = 64 * 1024;

/**
 * The most even plan that the weights find within the tolerance. It has as many slices as the best plan, and the same
 * transport and number of threads.
 *
 * @param best the best plan for the request
 * @param tolerance share of its dollars and of its latency that the even plan may have in addition
 */
export function settled(table: StretchTable, request: PlanRequest, best: Found, tolerance: number): Found {
  const { slices } = best.label;
  if (slices === 1) return best;
  const steps = stepTableOf(table, request, best.shared);
  const within = tolerated(request, best, tolerance);
  const uneven = unevennessOf(table, slices);
  for (const weights of WEIGHTS) {
    const weigh = weigher(request, best, weights);
    const label = lightest(steps, { model: request.model, slices }, (step, from, to) => {
      return uneven(from, to) + weigh(step, table.sizeBetween(from, to));
    });
    if (label === undefined) continue;
    const incumbents = new Incumbents(within, false, table.isLast);
    incumbents.offer(label, best.shared);
    if (incumbents.best !== undefined) return incumbents.best;
  }
  return best;
}

/** By this share, the plan costs more than the best one, or takes longer if latency is minimized; 0 if it is not worse. */
export function gapOf({ minimize, quantile }: PlanRequest, { cost }: Found, best: Found): number {
  const [own, least] =
    minimize === 'latency'
      ? [cost.latency[quantile], best.cost.latency[quantile]]
      : [cost.dollars, best.cost.dollars];
  return Math.max(0, own / least - 1);
}

/** The request with the limits within which plans are about as good. */
function tolerated(request: PlanRequest, { cost, label }: Found, tolerance: number): PlanRequest {
  const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile, minimize } = request;
  return {
    ...request,
    slices: label.slices,
    maxMovedBytes: Math.min(request.maxMovedBytes ?? Infinity, MAX_MORE_BYTES * movedAtLeast(label)),
    // The fastest plan is worth its price, so a cheaper one is welcome, and a dearer one is not.
    maxDollars: Math.min(maxDollars, (minimize === 'latency' ? 1 : 1 + tolerance) * cost.dollars),
    maxLatencyMs: Math.min(maxLatencyMs, (1 + tolerance) * cost.latency[quantile]),
  };
}

/** The bytes that a plan moves, or a negligible amount if that is more. */
export function movedAtLeast({ movedBytes, slices }: Pick<Label, 'movedBytes' | 'slices'>): number {
  return Math.max(movedBytes, NEGLIGIBLE_BYTES * slices);
}

function unevennessOf(table: StretchTable, slices: number): (from: number, to: number) => number {
  const { boundaries, weightBytes } = table;
  const whole = { nodes: boundaries[boundaries.length - 1] - boundaries[0], weightBytes };
  return (from, to) => {
    const nodes = boundaries[to] - boundaries[from];
    return unevenness({ nodes, weightBytes: table.sizeBetween(from, to).weightBytes }, whole, slices);
  };
}

function weigher(
  { temperature, model }: PlanRequest,
  { cost, label, totals }: Found,
  weights: (typeof WEIGHTS)[number],
): (step: Step, size: SliceSize) => number {
  const cold = coldShareOf(temperature, model.coldShare);
  const mixed = (ofWarm: number, ofCold: number): number => (1 - cold) * ofWarm + cold * ofCold;
  const movedBytes = movedAtLeast(label);
  const time = mixed(totals.warmMs, totals.coldMs);
  return (step, { readBytes, writeBytes }) =>
    weights.bytes * ratio(readBytes + writeBytes, movedBytes) +
    weights.cost *
      (ratio(mixed(step.warmDollars, step.coldDollars), cost.dollars) +
        ratio(mixed(step.warmMs, step.coldMs), time));
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
