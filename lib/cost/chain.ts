/** The totals of a chain of slices, as the search adds them up. */
import type { ChainTotals, StepCost, Transport } from './cost-model';

/** A step, and where it writes. */
export interface ChainStep {
  readonly cost: StepCost;
  readonly writesTo: Transport;
}

/**
 * How far a cold run has come, in milliseconds. With warm-ups, the state that contains them and slice 0 ends after `startMs`, and
 * the later slices take `laterMs`. Without them, all of the time is `laterMs`.
 */
export interface ColdProgress {
  readonly startMs: number;
  readonly laterMs: number;
}

export const COLD_START: ColdProgress = { startMs: 0, laterMs: 0 };

/**
 * @param isFirst whether the step is the first one of the chain
 * @param warmsUp whether later slices load while the first one runs
 */
export function afterColdStep(
  { startMs, laterMs }: ColdProgress,
  { loadMs, coldMs }: StepCost,
  isFirst: boolean,
  warmsUp: boolean,
): ColdProgress {
  if (!warmsUp) return { startMs, laterMs: laterMs + (loadMs + coldMs) };
  return isFirst
    ? { startMs: Math.max(startMs, loadMs + coldMs), laterMs }
    : { startMs: Math.max(startMs, loadMs), laterMs: laterMs + coldMs };
}

/** @param warmsUp whether later slices load while the first one runs */
export function chainTotals(steps: readonly ChainStep[], warmsUp: boolean): ChainTotals {
  const totals = { warmDollars: 0, coldDollars: 0, warmMs: 0 };
  const writes: Record<Transport, number> = { 's3-standard': 0, 's3-express': 0 };
  let cold = COLD_START;
  steps.forEach(({ cost, writesTo }, slice) => {
    totals.warmDollars += cost.warmDollars;
    totals.coldDollars += cost.coldDollars;
    totals.warmMs += cost.warmMs;
    cold = afterColdStep(cold, cost, slice === 0, warmsUp);
    writes[writesTo] += 1;
  });
  return { ...totals, writes, coldMs: cold.startMs + cold.laterMs };
}
