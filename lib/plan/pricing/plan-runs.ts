/** What the runs of a plan cost and take, with everything that its pipeline does: what reports print, and by what plans are chosen. */
import { type PricedWhole, consolidatedOutcomes } from '../../cost/consolidation';
import type { Transport } from '../../cost/chain';
import type { DetailedCostModel } from '../../cost/model';
import type { RunOutcomes } from '../../cost/schedule';
import type { CutSpace, PlanCosts } from '../cuts/cuts';
import { largestOf, sumOf } from '../../extremes';
import type { Goal } from '../goal';
import { type SliceSize, fileBytes, memoryMb as neededMb } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import type { WiredCut } from '../wiring/wiring';
import { type PricedPlan, type SliceSettings, type WholeCut, pricedPlan } from './price';
import { scheduleSlices, areWarmUpsWorthwhile } from '../schedule/schedule';

export interface PlannedSlices {
  readonly cut: WiredCut;
  readonly sizes: readonly SliceSize[];
  readonly settings: SliceSettings;
}

/**
 * The model of cost of a plan whose files are known: with warm-ups if its runs have them.
 *
 * @param files by slice: their bytes
 */
export function modelOfPlan(
  costs: PlanCosts,
  files: readonly number[],
  requestsPerHour?: number,
): DetailedCostModel {
  // One slice has nothing to warm up, whatever the model says.
  if (costs.warmUp !== undefined || files.length === 1) return costs.model(requestsPerHour);
  const isExpress = costs.model(requestsPerHour).options.stateMachineType !== 'standard';
  return costs.model(requestsPerHour, areWarmUpsWorthwhile(files, isExpress));
}

/** The slices alone: with warm-ups if they have them, branches in parallel, and small tensors in the state. */
export function slicedRuns(
  { bytes, costs }: CutSpace,
  { cut, sizes, settings }: PlannedSlices,
  requestsPerHour?: number,
): PricedPlan {
  const { outputSecondsPerByte } = costs;
  const model = modelOfPlan(costs, sizes.map(fileBytes), requestsPerHour);
  const schedule = scheduleSlices({ slices: cut.wiring.slices, outputs: cut.wiring.results });
  return pricedPlan(schedule, sizes, settings, { model, outputSecondsPerByte }, { cut, bytes });
}

export interface ConsolidatedRuns extends RunOutcomes {
  /** Of a warm call of the whole model, without random delays. */
  readonly wholeCallMs: number;
  /** The slices alone, with as many threads as the whole model has. */
  readonly slices: PricedPlan;
}

/**
 * The same slices beside one function with the whole model. All functions have as many threads as the whole model's has vCPUs, which
 * changes nothing for slices with less than one vCPU.
 */
export function consolidatedRuns(
  cuts: CutSpace,
  planned: PlannedSlices,
  whole: WholeCut,
  requestsPerHour?: number,
): ConsolidatedRuns {
  const threads = Math.max(planned.settings.threads, cuts.costs.threads(whole.memoryMb));
  const settings = { ...planned.settings, threads };
  const slices = slicedRuns(cuts, { ...planned, settings }, requestsPerHour);
  const priced = pricedWhole(cuts, whole, settings, requestsPerHour);
  const hasParallel = slices.schedule[0].kind === 'parallel';
  return {
    slices,
    wholeCallMs: priced.step.warmMs,
    ...consolidatedOutcomes(slices.model, slices.outcomes, priced, hasParallel),
  };
}

export function pricedWhole(
  { costs }: CutSpace,
  { size, memoryMb }: WholeCut,
  { threads, transport }: Omit<SliceSettings, 'memoryMb'>,
  requestsPerHour?: number,
): PricedWhole {
  const {
    steps: [step],
    outcomes: { warm },
  } = pricedPlan(
    [{ kind: 'slice', slice: 0 }],
    [size],
    { memoryMb: [memoryMb], threads, transport },
    { model: costs.model(requestsPerHour), outputSecondsPerByte: costs.outputSecondsPerByte },
  );
  return { step: step.cost, memoryMb, warm };
}

export function plannedRuns(
  { cuts, transport }: { readonly cuts: CutSpace; readonly transport: Transport },
  cut: WiredCut & { readonly settings?: SliceSettings; readonly whole?: WholeCut },
  { requestsPerHour }: Pick<Goal, 'requestsPerHour'> = {},
) {
  const { whole } = cut;
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  const least = sizes.map(neededMb);
  const settings = cut.settings ?? {
    memoryMb: least,
    threads: cuts.costs.threads(largestOf(least)),
    transport,
  };
  const planned = { cut, sizes, settings };
  const slices = slicedRuns(cuts, planned, requestsPerHour);
  const consolidated = whole && consolidatedRuns(cuts, planned, whole, requestsPerHour);
  const files = [...sizes, ...(whole ? [whole.size] : [])].map(fileBytes);
  const { warm, cold } = consolidated ?? slices.outcomes;
  return {
    plan: {
      ...{ warm, cold, slices: sizes.length },
      memoryMb: largestOf([...settings.memoryMb, whole?.memoryMb ?? 0]),
      fileBytes: sumOf(files),
      ...(whole && { whole: true as const }),
    },
    ...{ slices, sizes, settings },
    ...(consolidated && { consolidated }),
  };
}
