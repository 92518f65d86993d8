/** Estimates what the runs of a plan cost and how long they take, and compares the plan with one function. */
import type { AnalyzedModel } from './analyze';
import type { WholeCut } from './consolidate';
import { evenNotes } from './even-notes';
import type { SizeNotes } from './size-notes';
import { sizeNotes } from './size-notes';
import type { Offer, Targets, WholeModel } from '../cost/alternatives/alternative';
import type { SlicedPlan } from '../cost/alternatives/compare';
import { compareAlternatives } from '../cost/alternatives/compare';
import { consolidatedOutcomes } from '../cost/consolidation';
import type { RunCost } from '../cost/cost-model';
import type { DetailedCostModel } from '../cost/model';
import { costOf } from '../cost/schedule-cost';
import type { ChosenCut } from '../plan/best-cut';
import { bestCut } from '../plan/best-cut';
import type { SliceSettings } from '../plan/schedule/price';
import { pricedPlan } from '../plan/schedule/price';
import type { Schedule } from '../plan/schedule/schedule';
import { scheduleSlices } from '../plan/schedule/schedule';
import { areWarmUpsWorthwhile } from '../plan/schedule/warm-up';
import type { Goal, Slicer } from '../plan/search/slicers';
import { DEFAULT_GOAL, count } from '../plan/search/slicers';
import type { SliceSize } from '../plan/sizes/estimate';
import { memoryMb, threadCount } from '../plan/sizes/estimate';
import { DEFAULT_MAX_MEMORY_MB } from '../plan/sizes/lambda-quotas';
import { sliceSizes } from '../plan/sizes/slice-sizes';
import type { WiredCut } from '../plan/wiring/wiring';
import { largestOf } from '../extremes';

/** What is known of a plan besides its slices. */
export interface PlanEstimates {
  /** A run that finds all functions warm: with consolidation, one that the whole model serves. */
  readonly warm: RunCost;
  /** A run that finds all functions cold. With consolidation, it also asks the whole model and lets it load. */
  readonly cold: RunCost;
  readonly oneFunction: OneFunction;
  /** Only with consolidation: milliseconds of a warm call of the whole model, without random delays. */
  readonly wholeCallMs?: number;
  /** How the profile differs from the plan, one clause each. Empty if there is no profile or no difference. */
  readonly profileDifferences: readonly string[];
  /** Which of the planned sizes ONNX Runtime refuses. */
  readonly sizes: SizeNotes;
  /** Which slices of a fixed number do nearly nothing, and what prevents even ones, in a sentence without a full stop. */
  readonly nearEmpty?: string;
}

/** The plan beside one Lambda function that runs the whole model without a state machine. */
export interface OneFunction {
  /** Whether it keeps the limits of the plan, costs less, and is faster both warm and cold. */
  readonly isBetter: boolean;
  /** Compares the two in one sentence without a full stop. */
  readonly verdict: string;
}

/** @param whole the whole model, with consolidation */
export function planEstimates(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  slicer: Slicer,
  whole?: WholeCut,
): PlanEstimates {
  const { goal = DEFAULT_GOAL } = slicer;
  const consolidated = whole && consolidatedPlan(analyzed, cut, whole, goal);
  const plan = consolidated ?? slicedPlan(analyzed, cut, goal);
  const given = goal.requestsPerHour ?? analyzed.costs.requestsPerHour;
  const { requestsPerHour } = analyzed.cuts.costs.model(goal.requestsPerHour).options;
  const { alternatives, verdict } = compareAlternatives(wholeModel(analyzed), plan, {
    ...analyzed.costs,
    requestsPerHour,
    isRateAssumed: given === undefined,
    temperature: goal.temperature,
    targets: targetsOf(goal),
  });
  const slices = alternatives.find(({ id }) => id === 'slices')?.at(requestsPerHour);
  const oneFunction = alternatives.find(({ id }) => id === 'one-function')?.at(requestsPerHour);
  const { nearEmpty, inTheWay } = evenNotes(analyzed.cuts, cut, sizesOf(analyzed, cut));
  return {
    warm: costOf(plan, 0, 'warm'),
    cold: costOf(plan, 0, 'cold'),
    oneFunction: {
      isBetter: verdict.choice === 'one-function' && isFaster(oneFunction, slices),
      verdict: verdict.sentences[0].text,
    },
    profileDifferences: analyzed.profile?.differences ?? [],
    sizes: sizeNotes(analyzed.planned),
    ...(nearEmpty !== undefined && {
      nearEmpty: inTheWay === undefined ? nearEmpty : `${nearEmpty} (${inTheWay})`,
    }),
    ...(consolidated && { wholeCallMs: consolidated.wholeCallMs }),
  };
}

/** What the whole model needs in one process. */
export function wholeModel(analyzed: AnalyzedModel): WholeModel {
  const { outputSecondsPerByte } = analyzed.cuts.costs;
  const [size] = sizesOf(analyzed, bestCut(analyzed.dataflow, analyzed.cuts, count(1)));
  return {
    peakMemoryMb: memoryMb(size),
    fileBytes: analyzed.source.reduce((sum, file) => sum + file.size, 0),
    coreSeconds: size.coreSeconds + outputSecondsPerByte * size.writeBytes,
    requestBytes: size.readBytes,
    responseBytes: size.writeBytes,
  };
}

/** A plan whose steps are priced. */
interface PricedSlices extends SlicedPlan {
  readonly model: DetailedCostModel;
  readonly settings: SliceSettings;
  /** As they run: with warm-ups, if the plan has them. */
  readonly schedule: Schedule;
}

/** A plan with consolidation. Its warm runs are those of the whole model. */
interface ConsolidatedPlan extends SlicedPlan {
  readonly whole: true;
  readonly wholeCallMs: number;
}

/**
 * The same slices beside one function with the whole model. All functions have as many threads as the whole model's has vCPUs, which
 * changes nothing for slices with less than one vCPU.
 */
export function consolidatedPlan(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  { size, memoryMb: wholeMb }: WholeCut,
  goal: Goal = DEFAULT_GOAL,
): ConsolidatedPlan {
  const { cuts, transport } = analyzed;
  const { outputSecondsPerByte } = cuts.costs;
  const slices = slicedPlan(analyzed, cut, goal, threadCount(wholeMb));
  const settings = { memoryMb: [wholeMb], threads: slices.settings.threads, transport };
  const {
    steps: [step],
    outcomes: { warm },
  } = pricedPlan([{ kind: 'slice', slice: 0 }], [size], settings, {
    model: cuts.costs.model(goal.requestsPerHour),
    outputSecondsPerByte,
  });
  const whole = { step: step.cost, memoryMb: wholeMb, warm };
  return {
    whole: true,
    wholeCallMs: step.cost.warmMs,
    slices: slices.slices,
    memoryMb: Math.max(slices.memoryMb, wholeMb),
    fileBytes: slices.fileBytes + size.weightBytes,
    ...consolidatedOutcomes(slices.model, slices, whole, slices.schedule[0].kind === 'parallel'),
  };
}

/**
 * The plan with the price and the time of its warm and its cold runs.
 *
 * @param leastThreads of all functions, if another function of the pipeline has as many
 */
export function slicedPlan(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  goal: Goal = DEFAULT_GOAL,
  leastThreads = 1,
): PricedSlices {
  const sizes = sizesOf(analyzed, cut);
  const least = sizes.map(memoryMb);
  const planned = cut.settings ?? {
    memoryMb: least,
    threads: threadCount(largestOf(least)),
    transport: analyzed.transport,
  };
  const settings = { ...planned, threads: Math.max(planned.threads, leastThreads) };
  const schedule = scheduleSlices({ slices: cut.wiring.slices, outputs: cut.wiring.results });
  const { outputSecondsPerByte } = analyzed.cuts.costs;
  const model = modelOfPlan(
    analyzed,
    goal,
    sizes.map(({ weightBytes }) => weightBytes),
  );
  const handedOn = { cut, bytes: analyzed.cuts.bytes };
  const priced = pricedPlan(schedule, sizes, settings, { model, outputSecondsPerByte }, handedOn);
  return {
    ...{ model, settings, schedule: priced.schedule },
    slices: sizes.length,
    memoryMb: largestOf(settings.memoryMb),
    fileBytes: sizes.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
    ...priced.outcomes,
  };
}

/**
 * The model of cost of a plan whose files are known: with warm-ups if its runs have them.
 *
 * @param fileBytes by slice
 */
export function modelOfPlan(
  { cuts, costs }: AnalyzedModel,
  { requestsPerHour }: Goal,
  fileBytes: readonly number[],
): DetailedCostModel {
  // One slice has nothing to warm up, whatever the model says.
  if (costs.warmUp !== undefined || fileBytes.length === 1) return cuts.costs.model(requestsPerHour);
  const isExpress = costs.stateMachineType !== 'standard';
  return cuts.costs.model(requestsPerHour, areWarmUpsWorthwhile(fileBytes, isExpress));
}

function sizesOf({ cuts }: AnalyzedModel, { dataflow, wiring }: WiredCut): SliceSize[] {
  return sliceSizes(dataflow, wiring, cuts.bytes, cuts.costs);
}

function targetsOf({ maxLatencyMs, quantile, maxDollars, maxMemoryMb }: Goal): Targets {
  return {
    ...(maxLatencyMs !== undefined && { maxLatencyMs }),
    quantile,
    ...(maxDollars !== undefined && { maxDollarsPerMillion: maxDollars * 1e6 }),
    maxMemoryMb: maxMemoryMb ?? DEFAULT_MAX_MEMORY_MB,
  };
}

function isFaster(one?: Offer, other?: Offer): boolean {
  if (one === undefined || other === undefined) return false;
  return (['warm', 'cold'] as const).every(
    (temperature) => one[temperature].time.quantile(0.5) <= other[temperature].time.quantile(0.5),
  );
}
