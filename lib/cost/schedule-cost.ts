/** The cost and the latency of a plan whose slices may run side by side, as its state machine runs them. */
import type { RunCost, StepCost, Temperature, Transport } from './cost-model';
import { executionDollars } from './formulas/step-functions';
import { LatencyDistribution } from './latency/latency-distribution';
import type { DetailedCostModel } from './model';

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
  const warm = costOf(model, schedule, steps, false);
  const cold = costOf(model, schedule, steps, true);
  switch (temperature) {
    case 'warm':
      return quantilesOf(warm);
    case 'cold':
      return quantilesOf(cold);
    case 'mixed': {
      const share = model.coldShare;
      return quantilesOf({
        dollars: warm.dollars * (1 - share) + cold.dollars * share,
        time: warm.time.mixedWith(cold.time, share),
      });
    }
  }
}

interface Outcome {
  readonly dollars: number;
  readonly time: LatencyDistribution;
}

function quantilesOf({ dollars, time }: Outcome): RunCost {
  return { dollars, latency: { p50: time.quantile(0.5), p95: time.quantile(0.95) } };
}

function costOf(
  model: DetailedCostModel,
  schedule: ScheduleLike,
  steps: readonly ScheduledStep[],
  isCold: boolean,
): Outcome {
  const counts = { slices: 0, warmUps: 0, parallels: 0 };
  const warmedUp = new Set<number>();
  visit(schedule, (stage) => {
    if (stage.kind === 'warm-up') warmedUp.add(stage.slice);
    counts[({ slice: 'slices', 'warm-up': 'warmUps', parallel: 'parallels' } as const)[stage.kind]] += 1;
  });
  const start = { ms: 0, random: LatencyDistribution.constant(0) };
  const end = afterAll({ model, steps, isCold, warmedUp }, schedule, start);
  const last = steps[steps.length - 1];
  const { result, stateMachineType, prices, environment } = model.options;
  const random = result === 's3' ? end.random.plus(model.stores[last.writesTo].get) : end.random;
  const time = random.shift(end.ms);
  const sliceDollars = steps.reduce(
    (sum, { cost }) => sum + (isCold ? cost.coldDollars : cost.warmDollars),
    0,
  );
  return {
    time,
    dollars: sliceDollars + executionDollars(stateMachineType, counts, time.mean, prices, environment),
  };
}

function afterAll(run: Run, schedule: ScheduleLike, start: Progress): Progress {
  return schedule.reduce((progress, stage) => after(run, stage, progress), start);
}

function after(run: Run, stage: StageLike, start: Progress): Progress {
  switch (stage.kind) {
    case 'slice':
      return afterSlice(run, stage.slice, start);
    case 'warm-up':
      return run.isCold ? { ...start, ms: start.ms + run.steps[stage.slice].cost.loadMs } : start;
    case 'parallel': {
      const from = { ms: start.ms, random: LatencyDistribution.constant(0) };
      const ends = stage.branches.map((branch) => afterAll(run, branch, from));
      const ms = Math.max(...ends.map((end) => end.ms));
      const longest = ends.map((end) => end.random.shift(end.ms - ms)).reduce((all, own) => all.max(own));
      return { ms, random: start.random.plus(run.model.transition).plus(longest) };
    }
  }
}

function afterSlice({ model, steps, isCold, warmedUp }: Run, slice: number, start: Progress): Progress {
  const { cost, readsFrom, writesTo } = steps[slice];
  const { stores, transition, options } = model;
  const isInline = readsFrom === 'request' && options.request === 'inline';
  const read = isInline
    ? LatencyDistribution.constant(0)
    : stores[readsFrom === 'request' ? 's3-standard' : readsFrom].get;
  const random = start.random.plus(transition).plus(stores[writesTo].put).plus(read);
  if (!isCold) return { ms: start.ms + cost.warmMs, random };
  // A slice of a branch that was not warmed up starts to load when it is called.
  const loaded = warmedUp.has(slice) ? start.ms : start.ms + cost.loadMs;
  return { ms: loaded + cost.coldMs, random };
}

function visit(schedule: ScheduleLike, seen: (stage: StageLike) => void): void {
  for (const stage of schedule) {
    seen(stage);
    if (stage.kind === 'parallel') for (const branch of stage.branches) visit(branch, seen);
  }
}
