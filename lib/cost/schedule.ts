/** The cost and the latency of a plan whose slices may run side by side, as its state machine runs them. */
import type { ChainTotals, InState, RunCost, StepCost, Temperature, Transport } from './chain';
import { executionDollars } from './formulas/step-functions';
import { LatencyDistribution } from './latency/latency-distribution';
import { type LineItems, NO_ITEMS, addItems, mixItems } from './line-items';
import type { DetailedCostModel } from './model';
import type { DetailedStep } from './step';
import { largestOf } from '../extremes';

/** Stages that run in sequence; `lib/plan/schedule` makes them. */
export type StageLike =
  | { readonly kind: 'slice'; readonly slice: number }
  | { readonly kind: 'warm-up'; readonly slice: number }
  | { readonly kind: 'parallel'; readonly branches: readonly (readonly StageLike[])[] };

export type ScheduleLike = readonly StageLike[];

/** A slice's cost and choices. */
export interface ScheduledStep {
  readonly cost: StepCost;
  readonly readsFrom: Transport | 'request';
  readonly writesTo: Transport;
  readonly inState?: InState;
}

/** A slice whose cost also has items. */
export interface ItemizedStep extends ScheduledStep {
  readonly cost: DetailedStep;
}

/** How far a run has come: a time without random delays, and the random delays so far. */
interface Progress {
  readonly ms: number;
  readonly random: LatencyDistribution;
}

interface Run {
  readonly model: DetailedCostModel;
  readonly steps: readonly ScheduledStep[];
  readonly isCold: boolean;
  /** Slices whose load is over: a slice without a warm-up loads when it is called. */
  readonly warmedUp: ReadonlySet<number>;
}

/** Runs of one temperature: their mean price, and the time from the start to the result. */
export interface RunOutcome {
  readonly dollars: number;
  /** The part of `dollars` that the state machine costs. */
  readonly machineDollars: number;
  readonly time: LatencyDistribution;
}

/** What runs of a plan cost and take if they find all functions warm, and all cold. */
export interface RunOutcomes {
  readonly warm: RunOutcome;
  readonly cold: RunOutcome;
}

/** @param steps by slice */
export function scheduleOutcomes(
  model: DetailedCostModel,
  schedule: ScheduleLike,
  steps: readonly ScheduledStep[],
): RunOutcomes {
  return {
    warm: outcomeOf(model, schedule, steps, false),
    cold: outcomeOf(model, schedule, steps, true),
  };
}

export function costOf({ warm, cold }: RunOutcomes, coldShare: number, temperature: Temperature): RunCost {
  switch (temperature) {
    case 'warm':
      return quantilesOf(warm);
    case 'cold':
      return quantilesOf(cold);
    case 'mixed':
      return quantilesOf({
        dollars: warm.dollars * (1 - coldShare) + cold.dollars * coldShare,
        time: warm.time.mixedWith(cold.time, coldShare),
      });
  }
}

/**
 * Branches of a `Parallel` state end when the slowest one does, and warm-ups are branches. Loads are compared with the time
 * without random delays.
 *
 * @param steps by slice
 */
export function scheduleCost(
  model: DetailedCostModel,
  schedule: ScheduleLike,
  steps: readonly ScheduledStep[],
  temperature: Temperature,
): RunCost {
  return costOf(scheduleOutcomes(model, schedule, steps), model.coldShare, temperature);
}

/**
 * The items of the runs whose dollars `costOf` returns. Their sum is these dollars.
 *
 * @param steps by slice, the ones that the outcomes were made from
 */
export function itemsOf(
  { warm, cold }: RunOutcomes,
  steps: readonly ItemizedStep[],
  coldShare: number,
  temperature: Temperature,
): LineItems {
  const withMachine = ({ machineDollars }: RunOutcome, ofSlices: readonly LineItems[]): LineItems =>
    addItems([...ofSlices, { ...NO_ITEMS, stepFunctions: machineDollars }]);
  const warmItems = withMachine(
    warm,
    steps.map(({ cost }) => cost.warmItems),
  );
  const coldItems = withMachine(
    cold,
    steps.map(({ cost }) => cost.coldItems),
  );
  switch (temperature) {
    case 'warm':
      return warmItems;
    case 'cold':
      return coldItems;
    case 'mixed':
      return mixItems(warmItems, coldItems, coldShare);
  }
}

/** The totals of the same run: its dollars without the state machine, and its times without random delays. */
export function scheduleTotals(schedule: ScheduleLike, steps: readonly ScheduledStep[]): ChainTotals {
  const warmedUp = warmedUpBy(schedule);
  const sum = (dollars: (cost: StepCost) => number): number =>
    steps.reduce((total, { cost }) => total + dollars(cost), 0);
  const writesTo = (transport: Transport): number =>
    steps.filter((step) => step.writesTo === transport).length;
  const answered = steps.filter(({ inState }) => inState?.isAnswered).length;
  const fed = steps.filter(({ inState }) => inState?.readsAll).length;
  return {
    ...(answered + fed > 0 && { inState: { answered, fed } }),
    writes: { 's3-standard': writesTo('s3-standard'), 's3-express': writesTo('s3-express') },
    warmDollars: sum(({ warmDollars }) => warmDollars),
    coldDollars: sum(({ coldDollars }) => coldDollars),
    warmMs: endMs({ steps, isCold: false, warmedUp }, schedule, 0),
    coldMs: endMs({ steps, isCold: true, warmedUp }, schedule, 0),
  };
}

/** When a run ends if no delay is random. */
function endMs(run: Omit<Run, 'model'>, schedule: ScheduleLike, start: number): number {
  return schedule.reduce((ms, stage) => {
    switch (stage.kind) {
      case 'slice':
        return ms + sliceMs(run, stage.slice);
      case 'warm-up':
        return ms + warmUpMs(run, stage.slice);
      case 'parallel':
        return largestOf(stage.branches.map((branch) => endMs(run, branch, ms)));
    }
  }, start);
}

/** A slice of a cold run that was not warmed up starts to load when it is called. */
function sliceMs({ steps, isCold, warmedUp }: Omit<Run, 'model'>, slice: number): number {
  const { warmMs, loadMs, coldMs } = steps[slice].cost;
  if (!isCold) return warmMs;
  return warmedUp.has(slice) ? coldMs : loadMs + coldMs;
}

function warmUpMs({ steps, isCold }: Omit<Run, 'model'>, slice: number): number {
  return isCold ? steps[slice].cost.loadMs : 0;
}

function warmedUpBy(schedule: ScheduleLike): ReadonlySet<number> {
  const slices = new Set<number>();
  visit(schedule, (stage) => {
    if (stage.kind === 'warm-up') slices.add(stage.slice);
  });
  return slices;
}

function quantilesOf({ dollars, time }: Pick<RunOutcome, 'dollars' | 'time'>): RunCost {
  return { dollars, latency: { p50: time.quantile(0.5), p95: time.quantile(0.95) } };
}

function outcomeOf(
  model: DetailedCostModel,
  schedule: ScheduleLike,
  steps: readonly ScheduledStep[],
  isCold: boolean,
): RunOutcome {
  const counts = { slices: 0, warmUps: 0, parallels: 0 };
  visit(schedule, (stage) => {
    counts[({ slice: 'slices', 'warm-up': 'warmUps', parallel: 'parallels' } as const)[stage.kind]] += 1;
  });
  const start = { ms: 0, random: LatencyDistribution.constant(0) };
  const end = afterAll({ model, steps, isCold, warmedUp: warmedUpBy(schedule) }, schedule, start);
  const last = steps[steps.length - 1];
  const { result, stateMachineType, prices, environment } = model.options;
  const random = result === 's3' ? end.random.plus(model.stores[last.writesTo].get) : end.random;
  const time = random.shift(end.ms);
  const sliceDollars = steps.reduce(
    (sum, { cost }) => sum + (isCold ? cost.coldDollars : cost.warmDollars),
    0,
  );
  const machineDollars = executionDollars(stateMachineType, counts, time.mean, prices, environment);
  return { time, machineDollars, dollars: sliceDollars + machineDollars };
}

function afterAll(run: Run, schedule: ScheduleLike, start: Progress): Progress {
  return schedule.reduce((progress, stage) => after(run, stage, progress), start);
}

function after(run: Run, stage: StageLike, start: Progress): Progress {
  switch (stage.kind) {
    case 'slice':
      return afterSlice(run, stage.slice, start);
    case 'warm-up':
      return afterWarmUp(run, stage.slice, start);
    case 'parallel': {
      const from = { ms: start.ms, random: LatencyDistribution.constant(0) };
      const ends = stage.branches.map((branch) => afterAll(run, branch, from));
      const ms = largestOf(ends.map((end) => end.ms));
      const longest = ends.map((end) => end.random.shift(end.ms - ms)).reduce((all, own) => all.max(own));
      return { ms, random: start.random.plus(run.model.transition).plus(longest) };
    }
  }
}

/** A warm-up of a function that has loaded its slice ends long before the slice beside it. */
function afterWarmUp(run: Run, slice: number, start: Progress): Progress {
  if (!run.isCold) return start;
  return { ms: start.ms + warmUpMs(run, slice), random: start.random.plus(run.model.transition) };
}

function afterSlice(run: Run, slice: number, start: Progress): Progress {
  const { model, steps } = run;
  const { read, write } = storeDelays(model, steps[slice]);
  const delays = [model.transition, ...(write ? [write] : []), ...(read ? [read] : [])];
  const random = delays.reduce((sum, delay) => sum.plus(delay), start.random);
  return { ms: start.ms + sliceMs(run, slice), random };
}

/** The random delays of a slice's requests to S3, if it sends any. */
export function storeDelays(
  { stores, options }: DetailedCostModel,
  { readsFrom, writesTo, inState }: Omit<ScheduledStep, 'cost'>,
): { readonly read?: LatencyDistribution; readonly write?: LatencyDistribution } {
  const isInline = (readsFrom === 'request' && options.request === 'inline') || inState?.readsAll;
  return {
    ...(!isInline && { read: stores[readsFrom === 'request' ? 's3-standard' : readsFrom].get }),
    ...(!inState?.isAnswered && { write: stores[writesTo].put }),
  };
}

function visit(schedule: ScheduleLike, seen: (stage: StageLike) => void): void {
  for (const stage of schedule) {
    seen(stage);
    if (stage.kind === 'parallel') for (const branch of stage.branches) visit(branch, seen);
  }
}
