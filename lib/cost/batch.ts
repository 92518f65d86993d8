/**
 * The time and the price of a batch: children of a distributed map, each of which runs its items one after the other.
 *
 * A batch has as many lanes as children run at once. The functions of a lane are cold for its first item, and warm from then on. So the
 * last child ends when the lanes have done all of them. docs/costs.md describes what a child does besides its items.
 */
import type { Latency } from './chain';
import { durationRate, initMs, singleThreadMs, vcpuShare } from './formulas/lambda';
import { hostOf, transferMs } from './formulas/slice-timing';
import { executionDollarsPerMs, transitionOf } from './formulas/step-functions';
import { type ItemizedStep, type RunOutcomes, storeDelays } from './schedule';
import { type LineItems, ITEM_NAMES, LINE_ITEMS, addItems } from './step';
import type { DetailedCostModel } from './model';

/** Memory, in MB, of the function that prepares and ends each child, and writes the table. */
export const BATCH_FUNCTION_MB = 1024;

/** The first children of a batch start no faster: Lambda adds 1,000 sandboxes to a function every ten seconds. */
export const RAMP_CHILDREN_PER_SECOND = 100;

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: Express children that a map run starts in a second. */
export const CHILD_STARTS_PER_SECOND = 1_000;

/** Objects of one answer of S3's ListObjectsV2. */
const LISTED_OBJECTS = 1_000;

/** `Ramp`, `Prepare`, `Runs` and `Finish`. */
const CHILD_STATES = 4;

/** The map, and the state that writes the table. */
const PARENT_STATES = 2;

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
  /** Of a child with `itemsPerRun` items. */
  readonly runMs: number;
  /** Of the first child of a lane. */
  readonly coldRunMs: number;
}

export function batchEstimate({
  items,
  itemsPerRun,
  concurrency,
  ...times
}: BatchShape & BatchTimes): BatchEstimate {
  const children = Math.ceil(items / itemsPerRun);
  const lanes = Math.min(concurrency, children);
  const most = Math.min(items, itemsPerRun);
  const runMs = times.childMs + most * times.itemMs;
  const coldRunMs = runMs + times.coldMs;
  const lastMs = runMs - (children * most - items) * times.itemMs;
  const ramp = (lane: number): number => 1000 * Math.floor(lane / RAMP_CHILDREN_PER_SECOND);
  const startOf = laterStarts(lanes, (lane) => ramp(lane) + coldRunMs, runMs);
  const later = children - lanes;
  const ends = [
    ramp(lanes - 1) + (later === 0 ? lastMs + times.coldMs : coldRunMs),
    ...(later > 0 ? [startOf(later) + lastMs] : []),
    ...(later > 1 ? [startOf(later - 1) + runMs] : []),
    // All but the last child of each lane are full.
    ...(later === 0 && lanes > 1 ? [ramp(lanes - 2) + coldRunMs] : []),
  ];
  const dispatchMs = (1000 * children) / CHILD_STARTS_PER_SECOND;
  const milliseconds = times.tableMs + Math.max(dispatchMs, ...ends);
  return { children, lanes, milliseconds, runMs, coldRunMs };
}

/**
 * Returns when the n-th child starts, of those that follow the first one of each lane. A lane takes the next child as soon as it is free.
 *
 * @param freeAt by lane: the end of its first child
 */
function laterStarts(
  lanes: number,
  freeAt: (lane: number) => number,
  runMs: number,
): (count: number) => number {
  const groups: { readonly at: number; readonly size: number }[] = [];
  for (let lane = 0; lane < lanes; lane += RAMP_CHILDREN_PER_SECOND)
    groups.push({ at: freeAt(lane), size: Math.min(RAMP_CHILDREN_PER_SECOND, lanes - lane) });
  const startedBy = (ms: number): number =>
    groups.reduce((sum, { at, size }) => sum + (ms < at ? 0 : size * (1 + Math.floor((ms - at) / runMs))), 0);
  return (count) => {
    let [low, high] = [0, groups[groups.length - 1].at + Math.ceil(count / lanes) * runMs];
    while (high - low > 1e-6 * Math.max(1, high)) {
      const middle = (low + high) / 2;
      if (startedBy(middle) >= count) high = middle;
      else low = middle;
    }
    return high;
  };
}

/** A plan whose runs have no warm-ups, in an Express state machine, whose requests and results are in S3. */
export interface BatchedPlan {
  readonly model: DetailedCostModel;
  readonly steps: readonly ItemizedStep[];
  readonly outcomes: RunOutcomes;
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
}

export interface PlannedBatch extends Omit<BatchEstimate, 'milliseconds' | 'runMs' | 'coldRunMs'> {
  /**
   * p50: the sum of means, because a batch has many items. p95: as if every item took its p95, such as when S3 is slow all the time.
   */
  readonly milliseconds: Latency;
  readonly dollars: Latency;
  /** The parts of `dollars.p50`. */
  readonly costs: readonly BatchCost[];
  /** p95 of the first child of a lane, in milliseconds. */
  readonly longestRunMs: number;
  /** Milliseconds of the function that writes the table. */
  readonly tableMs: number;
  /** Requests of one item to S3 Standard. */
  readonly requests: { readonly puts: number; readonly gets: number };
}

export interface BatchCost {
  readonly item: string;
  readonly dollars: number;
}

export function plannedBatch(plan: BatchedPlan, shape: BatchShape): PlannedBatch {
  const parts = partsOf(plan, shape);
  const [p50, p95] = (['p50', 'p95'] as const).map((quantile) => {
    const estimate = batchEstimate({ ...shape, ...parts.times[quantile] });
    return { estimate, costs: costsOf(plan, shape, parts, estimate, quantile) };
  });
  const dollarsOf = (costs: readonly BatchCost[]): number =>
    costs.reduce((sum, { dollars }) => sum + dollars, 0);
  const { children, lanes } = p50.estimate;
  return {
    ...{ children, lanes },
    milliseconds: { p50: p50.estimate.milliseconds, p95: p95.estimate.milliseconds },
    dollars: { p50: dollarsOf(p50.costs), p95: dollarsOf(p95.costs) },
    costs: p50.costs,
    longestRunMs: p95.estimate.coldRunMs,
    tableMs: parts.table.billedMs,
    requests: requestsOf(plan),
  };
}

/** Of one item, with the question whether it has a result. */
function requestsOf({ model, steps }: BatchedPlan): PlannedBatch['requests'] {
  const { getDollars } = model.stores['s3-standard'];
  const writes = steps.filter(({ writesTo, inState }) => writesTo === 's3-standard' && !inState?.isAnswered);
  const reads = steps.filter(({ readsFrom }) => readsFrom !== 's3-express');
  return {
    puts: writes.length,
    gets: reads.reduce((sum, { cost }) => sum + Math.round(cost.warmItems.s3Gets / getDollars), 1),
  };
}

interface BatchParts {
  readonly times: Readonly<Record<keyof Latency, BatchTimes>>;
  /** Milliseconds for which AWS charges the function of a child, and how much longer a new one takes. */
  readonly prepareMs: number;
  readonly initMs: number;
  readonly table: { readonly billedMs: number };
}

function partsOf({ model, outcomes }: BatchedPlan, { items, itemsPerRun }: BatchShape): BatchParts {
  const { transition, stores, options } = model;
  const { environment, architecture } = options;
  const { handler, lambda, batch } = environment;
  const share = vcpuShare(BATCH_FUNCTION_MB, environment);
  const { get, firstGetMs } = stores['s3-standard'];
  // One HEAD for each item asks whether there is a result.
  const most = Math.min(items, itemsPerRun);
  const cpuMs = (requests: number): number =>
    singleThreadMs(handler.callCpuMs + requests * handler.requestCpuMs, share, environment);
  const waits = Math.ceil(most / handler.connections);
  const prepareMs = cpuMs(most) + firstGetMs + waits * get.mean + cpuMs(0);
  const newMs = initMs(architecture, environment) - lambda.runtimeLoadMs;
  const bytes = items * batch.rowBytes;
  const tableMs =
    newMs +
    2 * transferMs(bytes, share, hostOf(options), environment) +
    singleThreadMs((batch.tableCpu * bytes) / 1e6, share, environment);
  const item = outcomes.warm.time.plus(transition);
  const states = transition.times(CHILD_STATES);
  const parent = transitionOf('standard', environment).times(PARENT_STATES + 1);
  const cold = lambda.placementMs + newMs + outcomes.cold.time.mean - outcomes.warm.time.mean;
  const at = (of: (delay: typeof item) => number): BatchTimes => ({
    itemMs: of(item),
    coldMs: cold,
    childMs: batch.startMs + of(states) + prepareMs,
    tableMs: of(parent) + lambda.placementMs + tableMs,
  });
  return {
    times: { p50: at(({ mean }) => mean), p95: at((delay) => delay.quantile(0.95)) },
    ...{ prepareMs, initMs: newMs, table: { billedMs: tableMs } },
  };
}

function costsOf(
  plan: BatchedPlan,
  { items }: BatchShape,
  { times, prepareMs, initMs: newMs, table }: BatchParts,
  { children, lanes }: BatchEstimate,
  quantile: keyof Latency,
): BatchCost[] {
  const { prices, environment, architecture, stateMachineType } = plan.model.options;
  const { itemMs, coldMs, childMs } = times[quantile];
  const { putDollars, getDollars } = plan.model.stores['s3-standard'];
  const sum = (kind: 'warmItems' | 'coldItems'): LineItems =>
    addItems(plan.steps.map(({ cost }) => cost[kind]));
  const [warm, cold] = [sum('warmItems'), sum('coldItems')];
  const more: Partial<LineItems> = {
    s3Gets: items * getDollars,
    s3Puts: Math.ceil(items / LISTED_OBJECTS) * putDollars,
    lambdaTransfer: items * slowerCalls(plan, itemMs - times.p50.itemMs),
  };
  const ownMs = children * prepareMs + lanes * newMs + table.billedMs;
  const own =
    ownMs * durationRate(BATCH_FUNCTION_MB, architecture, prices) +
    ((2 * children + 1) * prices.lambda.requests) / 1e6;
  const runMs = items * itemMs + children * (childMs - environment.batch.startMs) + lanes * coldMs;
  const waitMs = (1000 * lanes * Math.floor(lanes / RAMP_CHILDREN_PER_SECOND)) / 2;
  // Executions are billed in units of 100 ms.
  const express =
    (children * prices.stepFunctions.expressExecutions) / 1e6 +
    (runMs + waitMs + 50 * children) * executionDollarsPerMs(stateMachineType, prices, environment);
  // Each start of a child is a transition of the parent.
  const transitions = children + PARENT_STATES + environment.stepFunctions.startAndEnd;
  return [
    ...LINE_ITEMS.map((item) => ({
      item: ITEM_NAMES[item],
      dollars: items * warm[item] + lanes * (cold[item] - warm[item]) + (more[item] ?? 0),
    })),
    { item: "Lambda: the batch's own function", dollars: own },
    { item: 'Step Functions: Express children', dollars: express },
    {
      item: 'Step Functions: transitions of the batch',
      dollars: (transitions * prices.stepFunctions.standardTransitions) / 1e6,
    },
  ].filter(({ dollars }) => dollars > 0);
}

/** Dollars of functions that wait for S3, if an item takes so much longer than its mean. The state machine causes the other part. */
function slowerCalls({ model, steps, memoryMb }: BatchedPlan, longerMs: number): number {
  const { prices, architecture } = model.options;
  const waits = steps.map((step) => {
    const { read, write } = storeDelays(model, step);
    return (read?.mean ?? 0) + (write?.mean ?? 0);
  });
  const all = waits.reduce((sum, ms) => sum + ms, (steps.length + 1) * model.transition.mean);
  if (all === 0) return 0;
  return waits.reduce(
    (dollars, ms, slice) =>
      dollars + ((longerMs * ms) / all) * durationRate(memoryMb[slice], architecture, prices),
    0,
  );
}
