/** What a report says of the prices of a plan's slices. */
import type { RunCost, Temperature } from '../../../lib/cost/chain';
import { type LineItem, type LineItems, LINE_ITEMS } from '../../../lib/cost/line-items';
import { costOf, itemsOf } from '../../../lib/cost/schedule';
import {
  type PricedPlan,
  type SizedCut,
  type SliceSettings,
  type StepPricing,
  pricedPlan,
} from '../../../lib/plan/pricing/price';
import { scheduleSlices } from '../../../lib/plan/schedule/schedule';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import type { LineItem as ReportedItem, ReportedRun } from '../plan-report';

const MILLION = 1e6;

/** @param sizes by slice */
export function pricedSlices(
  pricing: StepPricing,
  handedOn: SizedCut,
  sizes: readonly SliceSize[],
  settings: SliceSettings,
): PricedPlan {
  const { slices, results } = handedOn.cut.wiring;
  return pricedPlan(scheduleSlices({ slices, outputs: results }), sizes, settings, pricing, handedOn);
}

export const TEMPERATURES: readonly Temperature[] = ['warm', 'mixed', 'cold'];

export function runCost({ model, outcomes }: PricedPlan, temperature: Temperature): RunCost {
  return costOf(outcomes, model.coldShare, temperature);
}

export function reportedRun({ dollars, latency: { p50, p95 } }: RunCost): ReportedRun {
  return { dollarsPerMillion: dollars * MILLION, p50, p95 };
}

export function reportedRuns(plan: PricedPlan): Readonly<Record<Temperature, ReportedRun>> {
  const at = (temperature: Temperature): ReportedRun => reportedRun(runCost(plan, temperature));
  return { warm: at('warm'), mixed: at('mixed'), cold: at('cold') };
}

/** What a bill calls its items. */
export const ITEM_NAMES: Readonly<Record<LineItem, string>> = {
  lambdaRequests: 'Lambda requests',
  lambdaCompute: 'Lambda: computing',
  lambdaLoad: 'Lambda: starting and loading',
  lambdaTransfer: 'Lambda: reading and writing tensors',
  ephemeralStorage: 'Lambda: /tmp above the free size',
  s3Puts: 'S3 PUT requests',
  s3Gets: 'S3 GET requests',
  s3Bytes: 'S3 bytes moved',
  tensorStorage: 'S3 storage of tensors',
  stepFunctions: 'Step Functions',
};

/** The items of the price of a million runs that are not 0 at every temperature. Their sums are the prices of the runs. */
export function lineItems({ model, steps, outcomes }: PricedPlan): ReportedItem[] {
  const itemsAt = (temperature: Temperature): LineItems =>
    itemsOf(outcomes, steps, model.coldShare, temperature);
  const items = { warm: itemsAt('warm'), mixed: itemsAt('mixed'), cold: itemsAt('cold') };
  return LINE_ITEMS.map((item) => ({
    item: ITEM_NAMES[item],
    warm: items.warm[item] * MILLION,
    mixed: items.mixed[item] * MILLION,
    cold: items.cold[item] * MILLION,
  })).filter((item) => TEMPERATURES.some((temperature) => item[temperature] > 0));
}
