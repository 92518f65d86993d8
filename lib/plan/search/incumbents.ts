/** The complete plans found so far, and which partial plans cannot become better ones. */
import type { ChainTotals, RunCost } from '../../cost/cost-model';
import type { Rest } from './bounds';
import type { Label } from './labels';
import type { PlanRequest } from './plan-request';
import type { SharedSettings } from './step-table';

/** A complete plan within the limits. */
export interface Found {
  readonly label: Label;
  readonly shared: SharedSettings;
  readonly totals: ChainTotals;
  readonly cost: RunCost;
}

/** Bounds are sums in another order than the totals that they bound, so they may be too high by some roundings. */
const ROUNDING = 1 - 1e-9;

export const NO_REST: Rest = {
  warmDollars: 0,
  coldDollars: 0,
  warmMs: 0,
  coldMs: 0,
  loadMs: 0,
  movedBytes: 0,
  slices: 0,
  puts: 0,
  gets: 0,
};

export function totalsOf(
  label: Label,
  rest: Rest,
  { transport }: SharedSettings,
  writesResults: boolean,
): ChainTotals {
  const slices = label.slices + rest.slices;
  const results = writesResults ? 1 : 0;
  const writes =
    transport === 's3-standard'
      ? { 's3-standard': slices, 's3-express': 0 }
      : { 's3-standard': results, 's3-express': slices - results };
  const inState = {
    answered: Math.max(0, slices - (label.slices - label.answered + rest.puts)),
    fed: Math.max(0, slices - (label.slices - label.fed + rest.gets)),
  };
  return {
    writes,
    ...(inState.answered + inState.fed > 0 && { inState }),
    warmDollars: label.warmDollars + rest.warmDollars,
    coldDollars: label.coldDollars + rest.coldDollars,
    warmMs: label.warmMs + rest.warmMs,
    coldMs: Math.max(label.startMs, rest.loadMs) + (label.laterMs + rest.coldMs),
  };
}

export class Incumbents {
  best: Found | undefined;
  /** Plans of which none is cheaper and faster than another one; kept only if the front was requested. */
  readonly front: Found[] = [];
  private readonly slack: number;

  constructor(
    private readonly request: PlanRequest,
    private readonly wantsFront: boolean,
    /** Whether the last slice writes the results of the model. */
    private readonly writesResults: boolean,
  ) {
    this.slack = 1 + (request.epsilon ?? 0);
  }

  /** Takes a complete plan into account if it keeps the limits. */
  offer(label: Label, shared: SharedSettings): void {
    const { request } = this;
    if (label.slices > request.maxSlices || label.movedBytes > (request.maxMovedBytes ?? Infinity)) return;
    const totals = totalsOf(label, NO_REST, shared, this.writesResults);
    const cost = request.model.run(totals, request.temperature);
    if (
      cost.dollars > (request.maxDollars ?? Infinity) ||
      this.time(cost) > (request.maxLatencyMs ?? Infinity)
    )
      return;
    const found = { label, shared, totals, cost };
    if (this.best === undefined || this.isBetter(found, this.best)) this.best = found;
    if (this.wantsFront) this.addToFront(found);
  }

  /** Whether no plan that continues the partial plan is within the limits and better than the best one. */
  isHopeless(label: Label, rest: Rest | undefined, shared: SharedSettings): boolean {
    const { request, best } = this;
    if (rest === undefined || label.slices + rest.slices > request.maxSlices) return true;
    if (label.movedBytes + rest.movedBytes > (request.maxMovedBytes ?? Infinity) / ROUNDING) return true;
    const { minimize, maxDollars = Infinity, maxLatencyMs = Infinity } = request;
    if (minimize === 'slices' && !this.wantsFront && best && label.slices + rest.slices > best.label.slices)
      return true;
    const { model, temperature, quantile } = request;
    const totals = totalsOf(label, rest, shared, this.writesResults);
    const dollars = model.dollars(totals, temperature) * ROUNDING;
    if (dollars > maxDollars) return true;
    if (!this.wantsFront && best !== undefined && minimize !== 'latency') {
      const mayWinBySlices = minimize === 'slices' && label.slices + rest.slices < best.label.slices;
      if (!mayWinBySlices && dollars * this.slack > best.cost.dollars) return true;
    }
    // Quantiles of a mix take long to compute.
    if (!this.wantsFront && minimize !== 'latency' && maxLatencyMs === Infinity) return false;
    const latest = this.latestMs();
    const isLate = (own: ChainTotals): boolean => !model.isWithin(own, temperature, quantile, latest);
    // The delays of many slices take long to add up. Those of fewer slices are a lower bound, and are known.
    if (best !== undefined && label.slices + rest.slices > best.label.slices) {
      const fewer = { ...rest, slices: best.label.slices - label.slices };
      if (isLate(totalsOf(label, fewer, shared, this.writesResults))) return true;
    }
    if (isLate(totals)) return true;
    if (!this.wantsFront || this.front.length === 0) return false;
    const time = model.latencyMs(totals, temperature, quantile) * ROUNDING;
    return this.front.some(
      (other) => other.cost.dollars <= dollars * this.slack && this.time(other.cost) <= time,
    );
  }

  /** The latest time at which a plan may end that is within the limit and, if time is minimized, better than the best one. */
  private latestMs(): number {
    const { best } = this;
    const { minimize, maxLatencyMs = Infinity } = this.request;
    const ofBest =
      minimize === 'latency' && !this.wantsFront && best !== undefined
        ? this.time(best.cost) / this.slack
        : Infinity;
    return Math.min(maxLatencyMs, ofBest) / ROUNDING;
  }

  private addToFront(found: Found): void {
    const isNoWorse = (a: Found, b: Found): boolean =>
      a.cost.dollars <= b.cost.dollars && this.time(a.cost) <= this.time(b.cost);
    if (this.front.some((other) => isNoWorse(other, found))) return;
    const kept = this.front.filter((other) => !isNoWorse(found, other));
    this.front.splice(0, this.front.length, ...kept, found);
  }

  /** Ties go to the plan that was found first: the search goes through cuts and memory sizes in ascending order. */
  private isBetter(a: Found, b: Found): boolean {
    const [keysOfA, keysOfB] = [this.keys(a), this.keys(b)];
    const decisive = keysOfA.findIndex((key, index) => key !== keysOfB[index]);
    return decisive >= 0 && keysOfA[decisive] < keysOfB[decisive];
  }

  private keys({ label, cost }: Found): number[] {
    const { slices, movedBytes } = label;
    switch (this.request.minimize) {
      case 'slices':
        return [slices, cost.dollars, movedBytes, this.time(cost)];
      case 'cost':
        return [cost.dollars, this.time(cost), slices, movedBytes];
      case 'latency':
        return [this.time(cost), cost.dollars, slices, movedBytes];
    }
  }

  private time({ latency }: RunCost): number {
    return latency[this.request.quantile];
  }
}
