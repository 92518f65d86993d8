/**
 * The time and the price of a batch: children of a distributed map, each of which takes its items through the slices as a pack.
 *
 * A batch has as many lanes as children run at once. The functions of a lane are cold for its first item, and warm from then on. So the
 * last child ends when the lanes have done all of them. docs/costs.md describes what a child does besides its items.
 */
import { sumOf } from '../extremes';
import { childrenDollars } from './batch-bill';
import * as limits from './batch-limits';
import type { Latency } from './chain';
import { durationRate, initMs, singleThreadMs, vcpuShare } from './formulas/lambda';
import { hostOf, transferMs } from './formulas/slice-timing';
import { transitionOf } from './formulas/step-functions';
import type { DetailedCostModel } from './model';
import type { ItemizedStep, RunOutcomes } from './schedule';
import { type LineItems, ITEM_NAMES, LINE_ITEMS, addItems } from './step';

/** `Ramp`, `Next`, `Pack`, `Next` and `Done`. */
const CHILD_STATES = 5;

/** The start, the search for results, the map, and the state that writes the table. */
const PARENT_TRANSITIONS = 4;

export interface BatchShape {
  readonly items: number;
  /** The most items of a child. */
  readonly itemsPerRun: number;
  /** The most children at once. */
  readonly concurrency: number;
}

/** Mean milliseconds, modeled or measured. */
export interface BatchTimes {
  /** One item whose functions are warm, from the end of the item before it. */
  readonly itemMs: number;
  /** What the first item of a lane takes longer. */
  readonly coldMs: number;
  /** What a child takes besides its items, from the end of the child before it in its lane. */
  readonly childMs: number;
  /** What the batch takes before its first child and after its last one, such as to write the table. */
  readonly tableMs: number;
}

export interface BatchEstimate {
  readonly children: number;
  /** Children that run at once. */
  readonly lanes: number;
  readonly milliseconds: number;
  /** Sum over the children. */
  readonly busyMs: number;
}

/** If lanes start one after the other, they end one after the other too or share the last children: it counts half of the last one's wait. */
export function batchEstimate(batch: BatchShape & BatchTimes): BatchEstimate {
  const { items, itemsPerRun, concurrency, ...times } = batch;
  const children = Math.ceil(items / itemsPerRun);
  const lanes = Math.min(concurrency, children);
  const waves = Math.ceil(children / lanes);
  const most = Math.min(items, itemsPerRun);
  const runMs = times.childMs + most * times.itemMs;
  // The last child may have fewer items. That counts if no full one runs beside it.
  const isAlone = children - (waves - 1) * lanes === 1;
  const lastMs = isAlone ? runMs - (children * most - items) * times.itemMs : runMs;
  const rampMs = 1000 * Math.floor((lanes - 1) / limits.RAMP_CHILDREN_PER_SECOND);
  const firstEnd = rampMs + times.coldMs + (waves === 1 ? lastMs : runMs);
  const lastEnd = rampMs / 2 + times.coldMs + (waves - 1) * runMs + lastMs;
  const dispatchMs = (1000 * children) / limits.CHILD_STARTS_PER_SECOND;
  return {
    ...{ children, lanes },
    milliseconds: times.tableMs + Math.max(dispatchMs, firstEnd, lastEnd),
    busyMs: items * times.itemMs + children * times.childMs + lanes * (times.coldMs + rampMs / 2),
  };
}

/** A plan whose runs are packs, in an Express state machine without warm-ups. */
export interface BatchedPlan {
  readonly model: DetailedCostModel;
  /** A run of so many items. */
  readonly packOf: (items: number) => Pack;
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  /** The most bytes of an item's tensors that a slice reads or writes. */
  readonly bytes: number;
  /** The bytes of a line with the request of an item; 0 if the requests are objects. */
  readonly lineBytes: number;
}

export interface Pack {
  readonly steps: readonly ItemizedStep[];
  readonly outcomes: RunOutcomes;
}

export interface PlannedBatch extends BatchShape {
  readonly children: number;
  readonly childrenAtOnce: number;
  /**
   * From the start of the batch to its table. p50: the sum of means, because a batch has many items. p95: as if every item took its
   * p95, such as when S3 is slow all the time.
   */
  readonly milliseconds: Latency;
  readonly itemsPerSecond: number;
  /** Of the whole batch, as `milliseconds`. */
  readonly dollars: Latency;
  /** The parts of `dollars.p50`. */
  readonly costs: readonly BatchCost[];
  readonly quotas: readonly BatchQuota[];
}

export interface BatchCost {
  readonly item: string;
  readonly dollars: number;
}

/** A quota of AWS that the batch may exceed. */
export interface BatchQuota {
  readonly quota: string;
  /** What the batch needs. */
  readonly used: number;
  readonly limit: number;
  /** What to do if the batch needs more. */
  readonly advice: string;
}

/** @param slowest the same plan where runs are slowest, whose children must end in time */
export function plannedBatch(plan: BatchedPlan, shape: BatchShape, slowest = plan): PlannedBatch {
  const { items, concurrency } = shape;
  const inInput = plan.lineBytes === 0 ? Infinity : Math.floor(limits.MAX_INPUT_BYTES / plan.lineBytes);
  const itemsPerRun = Math.max(1, Math.min(shape.itemsPerRun, items, inInput));
  const times = timesOf(plan, items, itemsPerRun);
  const [p50, p95] = [times.p50, times.p95].map((own) => {
    const estimate = batchEstimate({ items, itemsPerRun, concurrency, ...own });
    const slowerMs = (own.childMs - times.p50.childMs) / itemsPerRun + own.itemMs - times.p50.itemMs;
    return { ...estimate, costs: costsOf(plan, { items, itemsPerRun }, estimate, slowerMs) };
  });
  const { children, lanes, milliseconds, costs } = p50;
  const { itemMs, childMs, coldMs } = timesOf(slowest, items, itemsPerRun).p95;
  const childSeconds =
    (childMs + coldMs + itemsPerRun * itemMs) / 1000 + lanes / limits.RAMP_CHILDREN_PER_SECOND;
  const [seconds, tableSeconds] = [milliseconds / 1000, times.p50.tableMs / 1000];
  const dollarsOf = (all: readonly BatchCost[]): number => sumOf(all.map(({ dollars }) => dollars));
  return {
    ...{ items, itemsPerRun, concurrency, children, childrenAtOnce: lanes, costs },
    milliseconds: { p50: milliseconds, p95: p95.milliseconds },
    itemsPerSecond: items / seconds,
    dollars: { p50: dollarsOf(costs), p95: dollarsOf(p95.costs) },
    quotas: quotasOf(plan, { lanes, seconds, items, itemsPerRun, childSeconds, tableSeconds }),
  };
}

/** Milliseconds of a pack grow with its items by a constant, apart from the share of a sandbox's burst. */
export function timesOf(
  { model, packOf }: BatchedPlan,
  items: number,
  itemsPerRun: number,
): Readonly<Record<keyof Latency, BatchTimes>> {
  const { transition, options } = model;
  const { environment, architecture } = options;
  const { lambda, batch } = environment;
  const share = vcpuShare(limits.BATCH_FUNCTION_MB, environment);
  const startMs = lambda.placementMs + initMs(architecture, environment) - lambda.runtimeLoadMs;
  const bytes = items * batch.rowBytes;
  const tableMs =
    startMs +
    2 * transferMs(bytes, share, hostOf(options), environment) +
    singleThreadMs((batch.tableCpu * bytes) / 1e6, share);
  const [one, two, full] = [1, 2, Math.max(2, itemsPerRun)].map((count) => packOf(count).outcomes);
  const states = transition.times(CHILD_STATES);
  const parent = transitionOf('standard', environment).times(PARENT_TRANSITIONS);
  const at = (of: (delay: typeof one.warm.time) => number): BatchTimes => {
    const [single, many] = [one, full].map(({ warm }) => of(warm.time));
    const itemMs = (many - single) / (Math.max(2, itemsPerRun) - 1);
    return {
      itemMs,
      coldMs: startMs + two.cold.time.mean - two.warm.time.mean,
      childMs: batch.startMs + of(states) + single - itemMs,
      tableMs: of(parent) + tableMs,
    };
  };
  return { p50: at(({ mean }) => mean), p95: at((delay) => delay.quantile(0.95)) };
}

/** @param slowerMs what an item takes longer than its mean: a function waits for S3 */
function costsOf(
  { model, packOf, memoryMb }: BatchedPlan,
  { items, itemsPerRun }: Pick<BatchShape, 'items' | 'itemsPerRun'>,
  { children, lanes, busyMs }: BatchEstimate,
  slowerMs: number,
): BatchCost[] {
  const { architecture, prices } = model.options;
  const { steps } = packOf(itemsPerRun);
  const [warm, cold] = (['warmItems', 'coldItems'] as const).map((kind): LineItems =>
    addItems(steps.map(({ cost }) => cost[kind])),
  );
  const machine = childrenDollars({ children, milliseconds: busyMs, ...model.options });
  const waitRate = durationRate(sumOf(memoryMb) / memoryMb.length, architecture, prices);
  return LINE_ITEMS.map((item) => ({
    item: ITEM_NAMES[item],
    dollars:
      (items / itemsPerRun) * warm[item] +
      lanes * (cold[item] - warm[item]) +
      (item === 'stepFunctions' ? machine : 0) +
      (item === 'callerPuts' ? (items - items / itemsPerRun) * warm.callerPuts : 0) +
      (item === 'lambdaTransfer' ? items * slowerMs * waitRate : 0),
  })).filter(({ dollars }) => dollars > 0);
}

type BatchUse = Readonly<
  Record<'items' | 'itemsPerRun' | 'lanes' | 'seconds' | 'childSeconds' | 'tableSeconds', number>
>;

function quotasOf({ model, packOf }: BatchedPlan, use: BatchUse): BatchQuota[] {
  const { getDollars, putDollars } = model.stores['s3-standard'];
  const { steps } = packOf(use.itemsPerRun);
  const [puts, gets] = [
    steps
      .filter(({ writesTo }) => writesTo === 's3-standard')
      .map(({ cost }) => cost.warmItems.s3Puts / putDollars),
    steps
      .filter(({ readsFrom }) => readsFrom !== 's3-express')
      .map(({ cost }) => cost.warmItems.s3Gets / getDollars),
  ].map(sumOf);
  const perSecond = use.items / use.itemsPerRun / use.seconds;
  const row = (quota: string, used: number, limit: number, advice: string): BatchQuota => ({
    ...{ quota, used, limit, advice },
  });
  const fewer = 'use fewer --items-per-run, or a plan whose runs are shorter';
  const slower = 'use a lower --concurrency';
  const fewerItems = 'start several batches, each with a part of the items';
  const { CONCURRENT_CALLS, MAX_EXPRESS_SECONDS, MAX_FUNCTION_SECONDS } = limits;
  const more = `ask AWS for more concurrent executions, or ${slower}`;
  return [
    row('calls at once in the account', use.lanes, CONCURRENT_CALLS, more),
    row('seconds of a slow child (p95)', use.childSeconds, MAX_EXPRESS_SECONDS, fewer),
    row('items of the table', use.items, limits.MAX_TABLE_ITEMS, fewerItems),
    row('seconds to write the table', use.tableSeconds, MAX_FUNCTION_SECONDS, fewerItems),
    row('S3 PUTs a second', perSecond * puts, limits.PUTS_PER_SECOND, slower),
    row('S3 GETs a second', perSecond * gets, limits.GETS_PER_SECOND, slower),
  ];
}
