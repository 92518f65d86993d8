/** What a report says of the runs of a plan: prices and times. */
import type { Temperature } from '../../../lib/cost/chain';
import type { End } from '../../../lib/cost/constants/ends';
import { type LineItems, ITEM_NAMES, LINE_ITEMS } from '../../../lib/cost/step';
import { type RunOutcomes, costOf, itemsOf } from '../../../lib/cost/schedule';
import type { PricedPlan } from '../../../lib/plan/pricing/price';
import { TEMPERATURES } from '../figures';
import type { LineItem, PlanReport, ReportedRun } from '../plan-report';

const MILLION = 1e6;

export interface RunsAtRate {
  readonly outcomes: RunOutcomes;
  /** Share of mixed runs that find their functions cold. */
  readonly coldShare: number;
}

/** @param ends the same runs where they are fastest, and slowest */
export function reportedRuns(runs: RunsAtRate, ends: Readonly<Record<End, RunsAtRate>>): PlanReport['run'] {
  const of = ({ outcomes, coldShare }: RunsAtRate, temperature: Temperature): ReportedRun => {
    const { dollars, latency } = costOf(outcomes, coldShare, temperature);
    return { dollarsPerMillion: dollars * MILLION, p50: latency.p50, p95: latency.p95 };
  };
  const at = (temperature: Temperature): ReportedRun => ({
    ...of(runs, temperature),
    ends: { fast: of(ends.fast, temperature), slow: of(ends.slow, temperature) },
  });
  return { warm: at('warm'), mixed: at('mixed'), cold: at('cold') };
}

/** The items of the price of a million runs that are not 0 at every temperature. Their sums are the prices of the runs. */
export function lineItems({ model, steps, outcomes }: PricedPlan): LineItem[] {
  const itemsAt = (temperature: Temperature): LineItems =>
    itemsOf(outcomes, steps, model.coldShare, temperature);
  const [warm, mixed, cold] = TEMPERATURES.map(itemsAt);
  return LINE_ITEMS.map((item) => ({
    item: ITEM_NAMES[item],
    warm: warm[item] * MILLION,
    mixed: mixed[item] * MILLION,
    cold: cold[item] * MILLION,
  })).filter((item) => TEMPERATURES.some((temperature) => item[temperature] > 0));
}
