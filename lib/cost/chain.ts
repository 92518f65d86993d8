/** The totals of a chain of slices, as the search adds them up. */
import type { ChainTotals, StepCost, Transport } from './cost-model';

/** A step, and where it writes. */
export interface ChainStep {
  readonly cost: StepCost;
  readonly writesTo: Transport;
}

/** @param warmsUp whether later slices load while the first one runs */
export function chainTotals(steps: readonly ChainStep[], warmsUp: boolean): ChainTotals {
  const totals = { warmDollars: 0, coldDollars: 0, warmMs: 0, coldMs: 0 };
  const writes: Record<Transport, number> = { 's3-standard': 0, 's3-express': 0 };
  for (const { cost, writesTo } of steps) {
    totals.warmDollars += cost.warmDollars;
    totals.coldDollars += cost.coldDollars;
    totals.warmMs += cost.warmMs;
    totals.coldMs = coldEnd(totals.coldMs, cost, warmsUp);
    writes[writesTo] += 1;
  }
  return { ...totals, writes };
}

/** When a slice ends in a cold run, given when the slice before it ends. */
export function coldEnd(start: number, { loadMs, coldMs }: StepCost, warmsUp: boolean): number {
  return (warmsUp ? Math.max(start, loadMs) : start + loadMs) + coldMs;
}
