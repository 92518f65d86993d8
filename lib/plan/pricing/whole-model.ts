/** Decides whether a pipeline also has one function with the whole model, and cuts the model into that one slice. */
import { MIN_SAVED_MS, wholeLoadMs } from '../../cost/consolidation';
import type { CostOptions } from '../../cost/options';
import { largestOf } from '../../extremes';
import type { Dataflow } from '../../dataflow/dataflow';
import type { CutSpace } from '../cuts/cuts';
import { wireGroups } from '../cuts/wire-groups';
import type { Goal } from '../goal';
import { type SliceSize, ephemeralStorageMb, fileBytes, memoryMb } from '../sizes/estimate';
import {
  DEFAULT_MAX_MEMORY_MB,
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
} from '../sizes/lambda-quotas';
import { sliceSizes } from '../sizes/slice-sizes';
import type { WiredCut } from '../wiring/wiring';

export const CONSOLIDATIONS = ['automatic', 'never', 'always'] as const;

/** The values of the enum `Consolidation`. */
export type ConsolidationMode = (typeof CONSOLIDATIONS)[number];

/** The whole model as one slice. */
export interface WholeCut {
  readonly cut: WiredCut;
  readonly size: SliceSize;
  /** Memory of its function, in MB: at least that of the largest slice, so that it computes as fast as they do. */
  readonly memoryMb: number;
}

/** @param dataflow the data flow in which only constant nodes are repeated */
export function wholeModel(dataflow: Dataflow, cuts: CutSpace): Pick<WholeCut, 'cut' | 'size'> {
  const { order } = (cuts.withoutRepeats ?? cuts).dataflow;
  const cut = wireGroups(dataflow, cuts.rule, [order]);
  const [size] = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  return { cut, size };
}

/** The whole model beside slices whose functions have so much memory. */
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
  const load = (size: SliceSize, memory: number): number => wholeLoadMs(fileBytes(size), memory, options);
  const slowest = largestOf([0, ...sizes.map((size, slice) => load(size, slicesMb[slice]))]);
  return load(whole.size, whole.memoryMb) - slowest >= MIN_SAVED_MS;
}
