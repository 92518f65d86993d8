/** Prices wired slices by the schedule in which they run, and decides whether a pipeline also has one function with the whole model. */
import type { InState, SliceDemand, Transport } from '../../cost/chain';
import type { DetailedCostModel } from '../../cost/model';
import {
  type ItemizedStep,
  type RunOutcomes,
  type Schedule,
  scheduleOutcomes,
  warmedUpBy,
} from '../../cost/schedule';
import { sumOf, largestOf } from '../../extremes';
import { type SliceSize, fileBytes, ephemeralStorageMb, memoryMb } from '../sizes/estimate';
import { withWarmUps } from '../schedule/schedule';
import {
  type HandedOnPlan,
  plannedCharacters,
  readersOf,
  stateTensorLimits,
} from '../schedule/state-tensor-limits';
import { type WiredCut, readsOf, wireGroups } from '../wiring/wiring';
import { MIN_SAVED_MS, wholeLoadMs } from '../../cost/consolidation';
import type { CostOptions } from '../../cost/options';
import type { Dataflow } from '../../dataflow/dataflow';
import type { CutSpace } from '../cuts/cuts';
import type { Goal } from '../goal';
import {
  DEFAULT_MAX_MEMORY_MB,
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
} from '../sizes/lambda-quotas';
import { sliceSizes } from '../sizes/slice-sizes';

export interface SliceSettings {
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
}

export interface PricedPlan {
  readonly model: DetailedCostModel;
  /** With warm-ups, if the model warms up. */
  readonly schedule: Schedule;
  readonly steps: readonly ItemizedStep[];
  readonly outcomes: RunOutcomes;
}

export interface SizedCut {
  readonly cut: WiredCut;
  readonly bytes: readonly number[];
}

/**
 * @param schedule without warm-ups
 * @param handedOn the slices, whose small tensors then travel in the state of the execution if the model says so
 */
export function pricedPlan(
  schedule: Schedule,
  sizes: readonly SliceSize[],
  { memoryMb, threads, transport }: SliceSettings,
  { model, outputSecondsPerByte }: { model: DetailedCostModel; outputSecondsPerByte: number },
  handedOn?: SizedCut,
): PricedPlan {
  const last = sizes.length - 1;
  const stages = model.warmsUp ? withWarmUps(schedule) : schedule;
  const warmedUp = warmedUpBy(stages);
  const shares = handedOn && model.options.tensorsInState ? stateShares(handedOn, sizes, stages) : [];
  const steps = sizes.map((size, slice): ItemizedStep => {
    const writesResult = slice === last;
    const readsFrom = slice === 0 ? 'request' : transport;
    const writesTo = writesResult ? 's3-standard' : transport;
    const inState = shares.at(slice);
    const readsRequest = size.requestGets > 0;
    const places = { readsFrom, readsRequest, writesTo, writesResult, ...(inState && { inState }) } as const;
    const choice = { memoryMb: memoryMb[slice], threads, ...places, isWarmedUp: warmedUp.has(slice) };
    return { cost: model.step(demandOf(size, outputSecondsPerByte), choice), ...places };
  });
  return { model, schedule: stages, steps, outcomes: scheduleOutcomes(model, stages, steps) };
}

/** What a slice asks of its function. @param outputSecondsPerByte seconds on one vCPU to write a byte of its outputs */
export function demandOf(size: SliceSize, outputSecondsPerByte: number): SliceDemand {
  return {
    ...size,
    fileBytes: fileBytes(size),
    graphBytes: fileBytes(size) - size.weightBytes,
    coreSeconds: size.coreSeconds + outputSecondsPerByte * size.outputBytes,
    memoryMb: memoryMb(size),
  };
}

function stateShares({ cut, bytes }: SizedCut, sizes: readonly SliceSize[], schedule: Schedule): InState[] {
  const plan = handedOnPlan(cut, sizes);
  const limits = stateTensorLimits(plan, schedule);
  const readers = readersOf(plan);
  return cut.wiring.slices.map((_, slice): InState => {
    const reads = readsOf(cut.wiring, slice);
    const carried = reads.filter(({ source }) => source.from === 'slice' && limits.has(source.slice));
    const sources = [...limits.keys()].filter((source) => readers.get(source)?.has(slice));
    return {
      isAnswered: limits.has(slice),
      // An object that fits the state takes one request.
      gets: sources.length,
      readsAll: carried.length === reads.length,
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

export const CONSOLIDATIONS = ['automatic', 'never', 'always'] as const;

/** The values of the enum `Consolidation`. */
export type ConsolidationMode = (typeof CONSOLIDATIONS)[number];

export interface WholeCut {
  readonly cut: WiredCut;
  readonly size: SliceSize;
  /** Memory of its function, in MB: at least that of the largest slice, so that it computes as fast as they do. */
  readonly memoryMb: number;
}

export function wholeModel(dataflow: Dataflow, cuts: CutSpace): Pick<WholeCut, 'cut' | 'size'> {
  const { order } = (cuts.withoutRepeats ?? cuts).dataflow;
  const cut = wireGroups(dataflow, cuts.rule, [order]);
  const [size] = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  return { cut, size };
}

export function besideSlices(whole: Pick<WholeCut, 'cut' | 'size'>, slicesMb: readonly number[]): WholeCut {
  return { ...whole, memoryMb: Math.max(memoryMb(whole.size), largestOf([0, ...slicesMb])) };
}

/** Whether the whole model fits one function, and takes so much longer to load than the slices that they are worth a question. */
export function isWorthwhile(
  whole: WholeCut,
  sizes: readonly SliceSize[],
  slicesMb: readonly number[],
  options: CostOptions,
  { maxMemoryMb = DEFAULT_MAX_MEMORY_MB }: Pick<Goal, 'maxMemoryMb'>,
): boolean {
  if (whole.memoryMb > Math.min(maxMemoryMb, MAX_LAMBDA_MEMORY_MB)) return false;
  if (ephemeralStorageMb(fileBytes(whole.size)) > MAX_EPHEMERAL_STORAGE_MB) return false;
  const load = (size: SliceSize, memory: number): number =>
    wholeLoadMs({ fileBytes: fileBytes(size), packedBytes: size.packedBytes }, memory, options);
  const slowest = largestOf([0, ...sizes.map((size, slice) => load(size, slicesMb[slice]))]);
  return load(whole.size, whole.memoryMb) - slowest >= MIN_SAVED_MS;
}
