/** The search for slices that serve cold runs only, because one function with the whole model serves the warm ones. */
import { type PricedWhole, consolidatedOutcomes } from '../../cost/consolidation';
import { LatencyDistribution } from '../../cost/latency/latency-distribution';
import type { DetailedCostModel } from '../../cost/model';
import { type PlanRequest, coldShareOf } from '../goal';

const QUANTILES = { p50: 0.5, p95: 0.95 };

/** From this share of cold runs that must keep the latency, their p95 is the better guess, and below it their median. */
const MOSTLY = 0.75;

/** A limit that no plan keeps. */
const NOTHING = Number.MIN_VALUE;

/** The limits of the request without what the whole model takes and costs. The latency is an estimate. */
export function searchOfColdRuns(
  request: PlanRequest,
  model: DetailedCostModel,
  whole: PricedWhole,
): PlanRequest {
  const nothing = { dollars: 0, machineDollars: 0, time: LatencyDistribution.constant(0) };
  const { warm, cold: added } = consolidatedOutcomes(
    model,
    { warm: nothing, cold: nothing },
    whole,
    model.warmsUp,
  );
  const { maxDollars, maxLatencyMs, quantile } = request;
  const share = coldShareOf(request.temperature, model);
  const ofCold: PlanRequest = { ...request, model, temperature: 'cold' };
  if (share === 0) return { ...ofCold, maxDollars: undefined, maxLatencyMs: undefined };
  const within = maxLatencyMs === undefined ? 1 : (1 - share) * warm.time.shareWithin(maxLatencyMs);
  /** The share of cold runs that must end in time. */
  const needed = (QUANTILES[quantile] - within) / share;
  return {
    ...ofCold,
    quantile: needed < MOSTLY ? 'p50' : 'p95',
    maxDollars:
      maxDollars === undefined
        ? undefined
        : Math.max(NOTHING, (maxDollars - (1 - share) * warm.dollars) / share - added.dollars),
    maxLatencyMs:
      maxLatencyMs === undefined || needed <= 0
        ? undefined
        : Math.max(NOTHING, maxLatencyMs - added.time.mean),
  };
}
