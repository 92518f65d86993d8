/** Decides whether a pipeline also has one function with the whole model, and cuts the model into that one slice. */
import { wholeLoadMs, MIN_SAVED_MS } from '../cost/consolidation';
import type { ChosenCut } from '../plan/best-cut';
import { bestCut } from '../plan/best-cut';
import type { Goal, Slicer } from '../plan/search/slicers';
import { DEFAULT_GOAL, count } from '../plan/search/slicers';
import type { SliceSize } from '../plan/sizes/estimate';
import { ephemeralStorageMb, fileBytes, memoryMb } from '../plan/sizes/estimate';
import {
  DEFAULT_MAX_MEMORY_MB,
  MAX_EPHEMERAL_STORAGE_MB,
  MAX_LAMBDA_MEMORY_MB,
} from '../plan/sizes/lambda-quotas';
import { sliceSizes } from '../plan/sizes/slice-sizes';
import { largestOf } from '../extremes';
import type { AnalyzedModel } from './analyze';

export const CONSOLIDATIONS = ['automatic', 'never', 'always'] as const;

/** The values of the enum `Consolidation`. */
export type ConsolidationMode = (typeof CONSOLIDATIONS)[number];

/** The whole model as one slice. */
export interface WholeCut {
  readonly cut: ChosenCut;
  readonly size: SliceSize;
  /** Memory of its function, in MB: at least that of the largest slice, so that it computes as fast as they do. */
  readonly memoryMb: number;
}

/**
 * @param cut the slices
 * @returns `undefined` for a pipeline without consolidation. One slice is the whole model already.
 */
export function wholeCut(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  { goal = DEFAULT_GOAL }: Slicer,
  mode: ConsolidationMode,
): WholeCut | undefined {
  if (mode === 'never' || cut.wiring.slices.length === 1) return undefined;
  const { cuts, dataflow } = analyzed;
  const sizesOf = ({ dataflow: flow, wiring }: ChosenCut): SliceSize[] =>
    sliceSizes(flow, wiring, cuts.bytes, cuts.costs);
  const ofSlices = sizesOf(cut);
  const slicesMb = cut.settings?.memoryMb ?? ofSlices.map(memoryMb);
  const whole = bestCut(dataflow, cuts, count(1));
  const [size] = sizesOf(whole);
  const mb = Math.max(memoryMb(size), largestOf(slicesMb));
  const found = { cut: whole, size, memoryMb: mb };
  if (mode === 'always') return found;
  const load = (bytes: number, memory: number): number => wholeLoadMs(bytes, memory, analyzed.costs);
  const saved =
    load(fileBytes(size), mb) -
    largestOf(ofSlices.map((own, slice) => load(fileBytes(own), slicesMb[slice])));
  return fits(size, mb, goal) && saved >= MIN_SAVED_MS ? found : undefined;
}

function fits(size: SliceSize, memory: number, { maxMemoryMb = DEFAULT_MAX_MEMORY_MB }: Goal): boolean {
  return (
    memory <= Math.min(maxMemoryMb, MAX_LAMBDA_MEMORY_MB) &&
    ephemeralStorageMb(fileBytes(size)) <= MAX_EPHEMERAL_STORAGE_MB
  );
}
