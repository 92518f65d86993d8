/** The cost and the latency of a plan whose slices may run side by side, as its state machine runs them. */
import { largestOf } from '../extremes';
import {
  type InState,
  type RunCost,
  type StepCost,
  type Temperature,
  type Transport,
  coldShareAt,
} from './chain';
import { executionDollars } from './formulas/step-functions';
import { LatencyDistribution } from './latency/latency-distribution';
import { type LineItems, type DetailedStep, NO_ITEMS, addItems, mixItems } from './step';
import type { DetailedCostModel } from './model';

/** A slice that runs, a slice that only loads its files, or several schedules in parallel. */
export type Stage =
  | { readonly kind: 'slice'; readonly slice: number }
  | { readonly kind: 'warm-up'; readonly slice: number }
  | { readonly kind: 'parallel'; readonly branches: readonly Schedule[] };

/** Stages that run in sequence; `lib/plan/schedule` makes them. */
export type Schedule = readonly Stage[];

export interface ScheduledStep {
  readonly cost: StepCost;
  readonly readsFrom: Transport | 'request';
  /** Whether it reads the request, perhaps besides tensors of earlier slices. @default - if it reads nothing else */
  readonly readsRequest?: boolean;
  readonly writesTo: Transport;
  readonly writesResult?: boolean;
  readonly inState?: InState;
}

export interface ItemizedStep extends ScheduledStep {
  readonly cost: DetailedStep;
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

/**
 * Branches of a `Parallel` state end when the slowest one does, and warm-ups are branches. Loads are compared with the
 * time without random delays.
 */
export function scheduleOutcomes(
  model: DetailedCostModel,
  schedule: Schedule,
  steps: readonly ScheduledStep[],
): RunOutcomes {
  let [warm, cold]: [RunOutcome?, RunOutcome?] = [];
  // A planner prices thousands of plans, and often needs one of them.
  return {
    get warm() {
      return (warm ??= outcomeOf(model, schedule, steps, false));
    },
    get cold() {
      return (cold ??= outcomeOf(model, schedule, steps, true));
    },
  };
}

export function costOf(runs: RunOutcomes, coldShare: number, temperature: Temperature): RunCost {
  const share = coldShareAt(temperature, coldShare);
  const { dollars, time } = share <= 0 ? runs.warm : share >= 1 ? runs.cold : mixedRun(runs, share);
  return { dollars, latency: { p50: time.quantile(0.5), p95: time.quantile(0.95) } };
}

function mixedRun({ warm, cold }: RunOutcomes, share: number): Pick<RunOutcome, 'dollars' | 'time'> {
  return {
    dollars: warm.dollars * (1 - share) + cold.dollars * share,
    time: warm.time.mixedWith(cold.time, share),
  };
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
  const itemsAt = ({ machineDollars }: RunOutcome, items: 'warmItems' | 'coldItems'): LineItems =>
    addItems([...steps.map(({ cost }) => cost[items]), { ...NO_ITEMS, stepFunctions: machineDollars }]);
  const share = coldShareAt(temperature, coldShare);
  return mixItems(itemsAt(warm, 'warmItems'), itemsAt(cold, 'coldItems'), share);
}

/** The random delays of a slice's requests to S3, if it sends any. */
function storeDelays(
  { stores, options }: DetailedCostModel,
  { readsFrom, readsRequest, writesTo, inState }: Omit<ScheduledStep, 'cost'>,
): { readonly read?: LatencyDistribution; readonly write?: LatencyDistribution } {
  const isInline = (readsFrom === 'request' && options.request === 'inline') || inState?.readsAll;
  // Of several reads, the slowest decides.
  const isStandard = readsFrom === 'request' || (readsRequest && options.request === 's3');
  return {
    ...(!isInline && { read: stores[isStandard ? 's3-standard' : readsFrom].get }),
    ...(!inState?.isAnswered && { write: stores[writesTo].put }),
  };
}

interface Progress {
  readonly ms: number;
  readonly random: LatencyDistribution;
}

interface Run {
  readonly steps: readonly ScheduledStep[];
  readonly isCold: boolean;
  readonly warmedUp: ReadonlySet<number>;
  readonly transition: LatencyDistribution;
  readonly delaysOf: (step: ScheduledStep) => readonly LatencyDistribution[];
}

const NO_DELAY = LatencyDistribution.constant(0);
const START: Progress = { ms: 0, random: NO_DELAY };

function outcomeOf(
  model: DetailedCostModel,
  schedule: Schedule,
  steps: readonly ScheduledStep[],
  isCold: boolean,
): RunOutcome {
  const { transition } = model;
  const { result, stateMachineType, prices, environment } = model.options;
  const stages = stagesOf(schedule);
  const count = (kind: Stage['kind']): number => stages.filter((stage) => stage.kind === kind).length;
  const counts = { slices: count('slice'), warmUps: count('warm-up'), parallels: count('parallel') };
  const delaysOf = (step: ScheduledStep): LatencyDistribution[] => {
    const { read, write } = storeDelays(model, step);
    return [transition, write, read].flatMap((delay) => delay ?? []);
  };
  const run = { steps, isCold, warmedUp: warmedUpBy(schedule), transition, delaysOf };
  const end = afterAll(run, schedule, START);
  const last = steps[steps.length - 1];
  const random = result === 's3' ? end.random.plus(model.stores[last.writesTo].get) : end.random;
  const time = random.shift(end.ms);
  const sliceDollars = steps.reduce(
    (sum, { cost }) => sum + (isCold ? cost.coldDollars : cost.warmDollars),
    0,
  );
  const machineDollars = executionDollars(stateMachineType, counts, time.mean, prices, environment);
  return { time, machineDollars, dollars: sliceDollars + machineDollars };
}

function afterAll(run: Run, schedule: Schedule, start: Progress): Progress {
  return schedule.reduce((progress, stage) => after(run, stage, progress), start);
}

function after(run: Run, stage: Stage, { ms, random }: Progress): Progress {
  const { steps, isCold, warmedUp, transition } = run;
  switch (stage.kind) {
    case 'slice': {
      const { warmMs, loadMs, coldMs } = steps[stage.slice].cost;
      // A slice of a cold run that was not warmed up starts to load when it is called.
      const ownMs = isCold ? (warmedUp.has(stage.slice) ? coldMs : loadMs + coldMs) : warmMs;
      const delays = run.delaysOf(steps[stage.slice]);
      return { ms: ms + ownMs, random: delays.reduce((sum, delay) => sum.plus(delay), random) };
    }
    case 'warm-up':
      // A warm-up of a function that has loaded its slice ends long before the slice beside it.
      if (!isCold) return { ms, random };
      return { ms: ms + steps[stage.slice].cost.loadMs, random: random.plus(transition) };
    case 'parallel': {
      const ends = stage.branches.map((branch) => afterAll(run, branch, { ms, random: NO_DELAY }));
      const endMs = largestOf(ends.map((end) => end.ms));
      const longest = ends.map((end) => end.random.shift(end.ms - endMs)).reduce((all, own) => all.max(own));
      return { ms: endMs, random: random.plus(transition).plus(longest) };
    }
  }
}

/** The slices that a schedule warms up. It does not warm up a slice at the start of a branch beside slice 0. */
export function warmedUpBy(schedule: Schedule): ReadonlySet<number> {
  return new Set(stagesOf(schedule).flatMap((stage) => (stage.kind === 'warm-up' ? [stage.slice] : [])));
}

function stagesOf(schedule: Schedule): Stage[] {
  return schedule.flatMap((stage) =>
    stage.kind === 'parallel' ? [stage, ...stage.branches.flatMap(stagesOf)] : [stage],
  );
}
