/** Prices the slices of a plan as its state machine runs them. */
import type { RunCost, Temperature, Transport } from '../../../lib/cost/cost-model';
import { LINE_ITEMS, addItems, itemsBy, mixItems, sumOfItems } from '../../../lib/cost/line-items';
import type { LineItem, LineItems } from '../../../lib/cost/line-items';
import type { DetailedCostModel } from '../../../lib/cost/model';
import type { DetailedStep } from '../../../lib/cost/step';
import type { RunOutcomes } from '../../../lib/cost/schedule-cost';
import { costOf, scheduleOutcomes } from '../../../lib/cost/schedule-cost';
import type { Pricing, SliceSettings } from '../../../lib/plan/schedule/price';
import type { Schedule } from '../../../lib/plan/schedule/schedule';
import { scheduleSlices } from '../../../lib/plan/schedule/schedule';
import { withWarmUps } from '../../../lib/plan/schedule/warm-up';
import { demandOf } from '../../../lib/plan/search/step-table';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import type { Wiring } from '../../../lib/plan/wiring/wiring';
import type { LineItem as ReportedItem, ReportedRun } from '../plan-report';

export const TEMPERATURES: readonly Temperature[] = ['warm', 'mixed', 'cold'];

export interface PricedStep {
  readonly cost: DetailedStep;
  readonly readsFrom: Transport | 'request';
  readonly writesTo: Transport;
}

export interface PricedPlan {
  readonly model: DetailedCostModel;
  /** With warm-ups, if the model warms up. */
  readonly schedule: Schedule;
  /** By slice. */
  readonly steps: readonly PricedStep[];
  readonly outcomes: RunOutcomes;
}

/** @param sizes by slice */
export function pricedPlan(
  { model, outputSecondsPerByte }: Omit<Pricing, 'temperature'>,
  wiring: Wiring,
  sizes: readonly SliceSize[],
  { memoryMb, threads, transport }: SliceSettings,
): PricedPlan {
  const sequence = scheduleSlices({ slices: wiring.slices, outputs: wiring.results });
  const last = sizes.length - 1;
  const schedule = model.warmsUp ? withWarmUps(sequence) : sequence;
  const steps = sizes.map((size, slice): PricedStep => {
    const readsFrom = slice === 0 ? 'request' : transport;
    const writesTo = slice === last ? 's3-standard' : transport;
    const choice = { memoryMb: memoryMb[slice], threads, readsFrom, writesTo } as const;
    return { cost: model.step(demandOf(size, outputSecondsPerByte), choice), readsFrom, writesTo };
  });
  return { model, schedule, steps, outcomes: scheduleOutcomes(model, schedule, steps) };
}

export function runCost({ model, outcomes }: PricedPlan, temperature: Temperature): RunCost {
  return costOf(outcomes, model.coldShare, temperature);
}

export function reportedRun({ dollars, latency: { p50, p95 } }: RunCost): ReportedRun {
  return { dollarsPerMillion: dollars * 1e6, p50, p95 };
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
export function lineItems(plan: PricedPlan): ReportedItem[] {
  const warm = itemsOf(plan, 'warm');
  const cold = itemsOf(plan, 'cold');
  const items = { warm, cold, mixed: mixItems(warm, cold, plan.model.coldShare) };
  const million = (temperature: Temperature, item: LineItem): number => items[temperature][item] * 1e6;
  return LINE_ITEMS.map((item) => ({
    item: ITEM_NAMES[item],
    warm: million('warm', item),
    mixed: million('mixed', item),
    cold: million('cold', item),
  })).filter((item) => TEMPERATURES.some((temperature) => item[temperature] > 0));
}

/** The state machine's price is what a run costs besides its slices. */
function itemsOf(plan: PricedPlan, temperature: 'warm' | 'cold'): LineItems {
  const slices = addItems(
    plan.steps.map(({ cost }) => (temperature === 'warm' ? cost.warmItems : cost.coldItems)),
  );
  const machine = runCost(plan, temperature).dollars - sumOfItems(slices);
  return itemsBy((item) => slices[item] + (item === 'stepFunctions' ? machine : 0));
}
