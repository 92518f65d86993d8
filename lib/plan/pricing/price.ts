/** Prices wired slices by the schedule in which they run, branches in parallel and warm-ups beside the first slices. */
import type { ChainTotals, InState, RunCost, Temperature, Transport } from '../../cost/cost-model';
import type { DetailedCostModel } from '../../cost/model';
import { type RunOutcomes, costOf, scheduleOutcomes, scheduleTotals } from '../../cost/schedule-cost';
import type { DetailedStep } from '../../cost/step';
import { demandOf } from './slice-demand';
import type { SliceSize } from '../sizes/estimate';
import type { Schedule } from '../schedule/schedule';
import { type SizedCut, stateShares } from './state-shares';
import { withWarmUps } from '../schedule/warm-up';

export interface SliceSettings {
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
}

/** What the steps of slices are priced by. */
export interface StepPricing {
  readonly model: DetailedCostModel;
  /** Seconds on one vCPU to write a byte of a slice's outputs. */
  readonly outputSecondsPerByte: number;
}

/** What slices are priced by. */
export interface Pricing extends StepPricing {
  readonly temperature: Temperature;
}

/** A slice's cost and choices. */
export interface PricedStep {
  readonly cost: DetailedStep;
  readonly readsFrom: Transport | 'request';
  readonly writesTo: Transport;
  readonly inState?: InState;
}

/** Slices whose steps are priced, as their state machine runs them. */
export interface PricedPlan {
  readonly model: DetailedCostModel;
  /** With warm-ups, if the model warms up. */
  readonly schedule: Schedule;
  /** By slice. */
  readonly steps: readonly PricedStep[];
  readonly outcomes: RunOutcomes;
}

/** The totals of the slices, and the cost and latency of a run. */
export interface PricedRun {
  readonly totals: ChainTotals;
  readonly cost: RunCost;
  readonly outcomes: RunOutcomes;
}

/**
 * @param schedule without warm-ups
 * @param sizes by slice
 * @param handedOn the slices, whose small tensors then travel in the state of the execution if the model says so
 */
export function pricedPlan(
  schedule: Schedule,
  sizes: readonly SliceSize[],
  { memoryMb, threads, transport }: SliceSettings,
  { model, outputSecondsPerByte }: StepPricing,
  handedOn?: SizedCut,
): PricedPlan {
  const last = sizes.length - 1;
  const stages = model.warmsUp ? withWarmUps(schedule) : schedule;
  const shares = handedOn && model.options.tensorsInState ? stateShares(handedOn, sizes, stages) : [];
  const steps = sizes.map((size, slice): PricedStep => {
    const readsFrom = slice === 0 ? 'request' : transport;
    const writesTo = slice === last ? 's3-standard' : transport;
    const inState = shares.at(slice);
    const places = { readsFrom, writesTo, ...(inState && { inState }) } as const;
    const choice = { memoryMb: memoryMb[slice], threads, ...places };
    return { cost: model.step(demandOf(size, outputSecondsPerByte), choice), ...places };
  });
  return { model, schedule: stages, steps, outcomes: scheduleOutcomes(model, stages, steps) };
}

/**
 * @param schedule without warm-ups
 * @param sizes by slice
 */
export function priceSchedule(
  schedule: Schedule,
  sizes: readonly SliceSize[],
  settings: SliceSettings,
  { temperature, ...pricing }: Pricing,
): PricedRun {
  const plan = pricedPlan(schedule, sizes, settings, pricing);
  return {
    totals: scheduleTotals(plan.schedule, plan.steps),
    cost: costOf(plan.outcomes, plan.model.coldShare, temperature),
    outcomes: plan.outcomes,
  };
}
