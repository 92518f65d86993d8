/** What a report says of the runs of a plan: prices, times, and what even slices or a function with the whole model change. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import type { RunCost, Temperature } from '../../../lib/cost/chain';
import { type LineItems, ITEM_NAMES, LINE_ITEMS } from '../../../lib/cost/step';
import { type RunOutcomes, costOf, itemsOf } from '../../../lib/cost/schedule';
import { largestOf } from '../../../lib/extremes';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import type { Goal } from '../../../lib/plan/goal';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import type { PricedPlan, WholeCut } from '../../../lib/plan/pricing/price';
import { type SliceSize, fileBytes } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { TEMPERATURES } from '../figures';
import type {
  LineItem,
  PlanReport,
  ReportedConsolidation,
  ReportedEvenness,
  ReportedRun,
} from '../plan-report';

const MILLION = 1e6;

export function runCost({ model, outcomes }: PricedPlan, temperature: Temperature): RunCost {
  return costOf(outcomes, model.coldShare, temperature);
}

export function reportedRun({ dollars, latency: { p50, p95 } }: RunCost): ReportedRun {
  return { dollarsPerMillion: dollars * MILLION, p50, p95 };
}

/** @param coldShare share of mixed runs that find their functions cold */
export function reportedRuns(outcomes: RunOutcomes, coldShare: number): PlanReport['run'] {
  const at = (temperature: Temperature) => reportedRun(costOf(outcomes, coldShare, temperature));
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

/** @param runs with the whole model */
export function reportedConsolidation(
  { memoryMb, size }: WholeCut,
  runs: RunOutcomes,
  coldShare: number,
): ReportedConsolidation {
  return { memoryMb, fileBytes: fileBytes(size), run: reportedRuns(runs, coldShare) };
}

/**
 * What even slices of a fixed number cost, beside as many slices at the cheapest cuts; `undefined` if the user did not set the
 * number of slices.
 */
export function reportedEvenness(
  analyzed: AnalyzedModel,
  { evenness }: ChosenCut,
  sizes: readonly SliceSize[],
  priced: PricedPlan,
  goal: Goal,
): ReportedEvenness | undefined {
  if (evenness === undefined) return undefined;
  const { bytes, costs } = analyzed.cuts;
  const { dataflow, wiring } = evenness.cheapest;
  const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
  const costOfSlices = (all: readonly SliceSize[], plan: PricedPlan) => ({
    movedBytes: sum(all.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
    dollarsPerMillion: MILLION * runCost(plan, goal.temperature).dollars,
  });
  return {
    largestShare: largestOf(seconds) / sum(seconds),
    ...costOfSlices(sizes, priced),
    cheapest: costOfSlices(
      sliceSizes(dataflow, wiring, bytes, costs),
      plannedRuns(analyzed, evenness.cheapest, goal).slices,
    ),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
