/**
 * Chooses the most even plan among those that are about as good as the best one. Two plans may differ by less than the
 * estimates are off; evenness does not depend on the planned sizes, so a small change of sizes rarely moves a cut.
 */
import { type PlanRequest, coldShareOf } from '../goal';
import { unevenness } from '../sizes/evenness';
import type { CutGraph } from './cut-graph';
import type { Label } from './label';
import { lightestPlan } from './label-setting';
import type { PricedGraph, Step } from './priced-graph';
import { type Found, Incumbents } from './pruning';

/** Share of the dollars and of the latency of the best plan that a more even plan may have in addition. */
export const SETTLED_TOLERANCE = 0.01;

/**
 * How many times the unevenness of equal slices all dollars and milliseconds weigh, and all bytes moved, of which each weighs less. Plans
 * for small weights are more even, and may be outside of the tolerance.
 */
const WEIGHTS = Array.from({ length: 20 }, (_, step) => 2 ** (step / 2));
const WEIGHT_OF_BYTES = 1 / 64;

/** Factor on the bytes that the best plan moves which a settled plan may move at most. */
const MAX_MORE_BYTES = 1.5;

/** Fewer bytes than this for each slice hardly matter: reading them takes less time than waiting for the first of them. */
const NEGLIGIBLE_BYTES = 64 * 1024;

/** The most even plan that the weights find within the tolerance. It has as many slices as the best plan. */
export function settled(graph: CutGraph, priced: PricedGraph, request: PlanRequest, best: Found): Found {
  const { slices } = best.label;
  if (slices === 1) return best;
  const within = tolerated(request, best);
  const mostBytes = MAX_MORE_BYTES * movedAtLeast(best.label);
  const uneven = graph.edges.map(({ from, to, size: { weightBytes } }) => {
    const nodes = graph.vertices[to] - graph.vertices[from];
    return unevenness({ nodes, weightBytes }, graph.total, slices);
  });
  const unevennessOf = new Map(priced.edges.map((edge, index) => [edge, uneven[index]]));
  const burden = burdenOf(priced, best);
  for (const weight of WEIGHTS) {
    const label = lightestPlan(
      priced,
      (step, edge) => (unevennessOf.get(edge) ?? 0) + weight * burden(step),
      slices,
    );
    if (label === undefined || label.movedBytes > mostBytes) continue;
    const incumbents = new Incumbents(priced, within);
    incumbents.offer(label);
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

/** The bytes that a plan moves, or a negligible amount if that is more. */
export function movedAtLeast({ movedBytes, slices }: Pick<Label, 'movedBytes' | 'slices'>): number {
  return Math.max(movedBytes, NEGLIGIBLE_BYTES * slices);
}

/** The request with the limits within which plans are about as good. */
function tolerated(request: PlanRequest, { cost }: Found): PlanRequest {
  const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile, minimize } = request;
  const more = 1 + SETTLED_TOLERANCE;
  return {
    ...request,
    // The fastest plan is worth its price, so a cheaper one is welcome, and a dearer one is not.
    maxDollars: Math.min(maxDollars, (minimize === 'latency' ? 1 : more) * cost.dollars),
    maxLatencyMs: Math.min(maxLatencyMs, more * cost.latency[quantile]),
  };
}

/** What a step has of the dollars, the time and the bytes of the best plan. */
function burdenOf(
  { model, temperature }: PricedGraph,
  { cost, label, totals }: Found,
): (step: Step) => number {
  const cold = coldShareOf(temperature, model);
  const mixed = (ofWarm: number, ofCold: number): number => (1 - cold) * ofWarm + cold * ofCold;
  const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
  const movedBytes = movedAtLeast(label);
  const time = mixed(totals.warmMs, totals.coldMs);
  return (step) =>
    WEIGHT_OF_BYTES * ratio(step.movedBytes, movedBytes) +
    ratio(mixed(step.warmDollars, step.coldDollars), cost.dollars) +
    ratio(mixed(step.warmMs, step.coldMs), time);
}
