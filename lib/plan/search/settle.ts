/**
 * Chooses the most even plan among those that are about as good as the best one. Two plans may differ by less than the
 * estimates are off; evenness does not depend on the planned sizes, so a small change of sizes rarely moves a cut.
 */
import type { SliceSize } from '../sizes/estimate';
import type { Found } from './incumbents';
import { Incumbents } from './incumbents';
import { lightest } from './first-plans';
import type { Label } from './labels';
import type { Minimize, PlanRequest } from './plan-request';
import type { Step } from './step-table';
import { coldShareOf, stepTableOf } from './step-table';
import type { StretchTable } from './stretch-table';

/** Share of the dollars and of the latency of the best plan that a settled plan may have in addition... */
export const TOLERANCE = 0.02;
/** ...and the share if neither is minimized. A plan whose slices all
 * read a mask from the request costs so much more than one in which some slices need no mask. */
const LAX_TOLERANCE = 0.1;

export function toleranceOf(minimize: Minimize): number {
  return minimize === 'slices' ? LAX_TOLERANCE : TOLERANCE;
}

/**
 * How many times the evenness of slices that all bytes moved weigh, and all dollars and milliseconds. Plans for small weights
 * are more even, and may be outside of the tolerance. Evenness is 1 for equal slices, and the number of slices if one has
 * nearly all nodes and weights.
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
 */
export function settled(table: StretchTable, request: PlanRequest, best: Found): Found {
  const { slices } = best.label;
  if (slices === 1) return best;
  const steps = stepTableOf(table, request, best.shared);
  const within = tolerated(request, best);
  const evenness = evennessOf(table, slices);
  for (const weights of WEIGHTS) {
    const weigh = weigher(request, best, weights);
    const label = lightest(steps, { model: request.model, slices }, (step, from, to) => {
      return evenness(from, to) + weigh(step, table.sizeBetween(from, to));
    });
    if (label === undefined) continue;
    const incumbents = new Incumbents(within, false, table.isLast);
    incumbents.offer(label, best.shared);
    if (incumbents.best !== undefined) return incumbents.best;
  }
  return best;
}

/** The request with the limits within which plans are about as good. */
function tolerated(request: PlanRequest, { cost, label }: Found): PlanRequest {
  const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile, minimize } = request;
  const tolerance = toleranceOf(request.slices === undefined ? minimize : 'slices');
  return {
    ...request,
    slices: label.slices,
    maxMovedBytes: Math.min(request.maxMovedBytes ?? Infinity, MAX_MORE_BYTES * movedAtLeast(label)),
    // The fastest plan is worth its price, so a cheaper one is welcome, and a dearer one is not.
    maxDollars: Math.min(maxDollars, (minimize === 'latency' ? 1 : 1 + tolerance) * cost.dollars),
    maxLatencyMs: Math.min(maxLatencyMs, (1 + tolerance) * cost.latency[quantile]),
  };
}

function movedAtLeast({ movedBytes, slices }: Label): number {
  return Math.max(movedBytes, NEGLIGIBLE_BYTES * slices);
}

/** The part of a stretch in the evenness of a plan: the square of its share of nodes and weights, times the slices. */
function evennessOf(table: StretchTable, slices: number): (from: number, to: number) => number {
  const { boundaries, weightBytes } = table;
  const nodes = boundaries[boundaries.length - 1] - boundaries[0];
  return (from, to) => {
    const ofWeights = ratio(table.sizeBetween(from, to).weightBytes, weightBytes);
    const share = (ofWeights + (boundaries[to] - boundaries[from]) / nodes) / 2;
    return slices * share ** 2;
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
