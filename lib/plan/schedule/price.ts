/** Prices wired slices by the schedule in which they run, branches in parallel. */
import type {
  ChainTotals,
  CostModel,
  RunCost,
  StepCost,
  Temperature,
  Transport,
} from '../../cost/cost-model';
import { demandOf, endOfCold } from '../search/step-table';
import type { SliceSize } from '../sizes/estimate';
import type { Schedule } from './schedule';
import { timeOf } from './schedule';

export interface SliceSettings {
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
}

/** The totals of the slices, and the cost and latency of a run. */
export interface PricedRun {
  readonly totals: ChainTotals;
  readonly cost: RunCost;
}

/** Slices that run in parallel add their dollars; the longest branch decides about times and random delays. */
export function priceSchedule(
  schedule: Schedule,
  sizes: readonly SliceSize[],
  settings: SliceSettings,
  model: CostModel,
  temperature: Temperature,
): PricedRun {
  const { memoryMb, threads, transport } = settings;
  const last = sizes.length - 1;
  const steps = sizes.map((size, slice) =>
    model.step(demandOf(size), {
      memoryMb: memoryMb[slice],
      threads,
      readsFrom: slice === 0 ? 'request' : transport,
      writesTo: slice === last ? 's3-standard' : transport,
    }),
  );
  const times = steps.map(({ warmMs }) => warmMs);
  const totals = {
    writes: writesOf(sizes.length, transport),
    warmDollars: steps.reduce((sum, { warmDollars }) => sum + warmDollars, 0),
    coldDollars: steps.reduce((sum, { coldDollars }) => sum + coldDollars, 0),
    warmMs: timeOf(schedule, times),
    coldMs: coldEnd(schedule, steps, model, 0),
  };
  const inSequence = timeOf(
    schedule,
    sizes.map(() => 1),
  );
  const ofLongest = { ...totals, writes: writesOf(inSequence, transport) };
  return {
    totals,
    cost: {
      dollars: model.run(totals, temperature).dollars,
      latency: model.run(ofLongest, temperature).latency,
    },
  };
}

/** The last slice writes the results, which are in S3 Standard. */
function writesOf(slices: number, transport: Transport): ChainTotals['writes'] {
  return transport === 's3-standard'
    ? { 's3-standard': slices, 's3-express': 0 }
    : { 's3-standard': 1, 's3-express': slices - 1 };
}

/** When a cold run ends, if the schedule begins at `start`. */
function coldEnd(schedule: Schedule, steps: readonly StepCost[], model: CostModel, start: number): number {
  return schedule.reduce((end, stage) => {
    switch (stage.kind) {
      case 'slice':
        return endOfCold(model, end, steps[stage.slice]);
      case 'warm-up':
        return end;
      case 'parallel':
        return Math.max(...stage.branches.map((branch) => coldEnd(branch, steps, model, end)));
    }
  }, start);
}
