/** Prices wired slices by the schedule in which they run, branches in parallel and warm-ups beside the first slices. */
import type { ChainTotals, RunCost, Temperature, Transport } from '../../cost/cost-model';
import type { DetailedCostModel } from '../../cost/model';
import type { RunOutcomes } from '../../cost/schedule-cost';
import { costOf, scheduleOutcomes, scheduleTotals } from '../../cost/schedule-cost';
import { demandOf } from '../search/step-table';
import type { SliceSize } from '../sizes/estimate';
import type { Schedule } from './schedule';
import { withWarmUps } from './warm-up';

export interface SliceSettings {
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
}

/** What slices are priced by. */
export interface Pricing {
  readonly model: DetailedCostModel;
  readonly temperature: Temperature;
  /** Seconds on one vCPU to write a byte of a slice's outputs. */
  readonly outputSecondsPerByte: number;
}

/** The totals of the slices, and the cost and latency of a run. */
export interface PricedRun {
  readonly totals: ChainTotals;
  readonly cost: RunCost;
  readonly outcomes: RunOutcomes;
}

/** @param schedule without warm-ups */
export function priceSchedule(
  schedule: Schedule,
  sizes: readonly SliceSize[],
  { memoryMb, threads, transport }: SliceSettings,
  { model, temperature, outputSecondsPerByte }: Pricing,
): PricedRun {
  const last = sizes.length - 1;
  const steps = sizes.map((size, slice) => {
    const choice = {
      memoryMb: memoryMb[slice],
      threads,
      readsFrom: slice === 0 ? ('request' as const) : transport,
      writesTo: slice === last ? ('s3-standard' as const) : transport,
    };
    return { ...choice, cost: model.step(demandOf(size, outputSecondsPerByte), choice) };
  });
  const stages = model.warmsUp ? withWarmUps(schedule) : schedule;
  const outcomes = scheduleOutcomes(model, stages, steps);
  return {
    totals: scheduleTotals(stages, steps),
    cost: costOf(outcomes, model.coldShare, temperature),
    outcomes,
  };
}
