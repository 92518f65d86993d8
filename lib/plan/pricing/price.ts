/** Prices wired slices by the schedule in which they run, branches in parallel and warm-ups beside the first slices. */
import type { InState, SliceDemand, Transport } from '../../cost/chain';
import type { DetailedCostModel } from '../../cost/model';
import { type RunOutcomes, scheduleOutcomes } from '../../cost/schedule';
import type { DetailedStep } from '../../cost/step';
import { sumOf } from '../../extremes';
import { type SliceSize, fileBytes, memoryMb as neededMb } from '../sizes/estimate';
import type { Schedule } from '../schedule/schedule';
import {
  type HandedOnPlan,
  plannedCharacters,
  readersOf,
  stateTensorLimits,
} from '../schedule/state-tensor-limits';
import type { WiredCut } from '../wiring/wiring';
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

/** Wired slices, and the planned bytes of the values that they pass on. */
export interface SizedCut {
  readonly cut: WiredCut;
  /** By value. */
  readonly bytes: readonly number[];
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
 * What a slice asks of its function.
 *
 * @param outputSecondsPerByte seconds on one vCPU to write a byte of its outputs
 */
export function demandOf(size: SliceSize, outputSecondsPerByte: number): SliceDemand {
  return {
    fileBytes: fileBytes(size),
    coreSeconds: size.coreSeconds + outputSecondsPerByte * size.writeBytes,
    readTensors: size.readTensors,
    readBytes: size.readBytes,
    writeBytes: size.writeBytes,
    memoryMb: neededMb(size),
  };
}

/**
 * By slice: what of its tensors travels in the state of the execution.
 *
 * @param schedule with warm-ups, if the state machine has them
 */
function stateShares({ cut, bytes }: SizedCut, sizes: readonly SliceSize[], schedule: Schedule): InState[] {
  const plan = handedOnPlan(cut, sizes);
  const limits = stateTensorLimits(plan, schedule);
  const readers = readersOf(plan);
  return cut.wiring.slices.map(({ inputs }, slice): InState => {
    const carried = inputs.filter(({ source }) => source.from === 'slice' && limits.has(source.slice));
    const sources = [...limits.keys()].filter((source) => readers.get(source)?.has(slice));
    return {
      isAnswered: limits.has(slice),
      readTensors: carried.length,
      readsAll: carried.length === sizes[slice].readTensors,
      readBytes: sumOf(carried.map(({ value }) => bytes[value])),
      characters: sumOf(sources.map((source) => plannedCharacters(plan.slices[source]))),
    };
  });
}

function handedOnPlan({ dataflow, wiring }: WiredCut, sizes: readonly SliceSize[]): HandedOnPlan {
  const { values } = dataflow.model.graph;
  return {
    slices: wiring.slices.map(({ inputs, outputs }, slice) => ({
      inputs,
      outputs: outputs.map((value) => ({ name: values[value].name })),
      writeBytes: sizes[slice].writeBytes,
    })),
    outputs: wiring.results,
  };
}
