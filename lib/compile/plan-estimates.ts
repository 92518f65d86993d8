/** Estimates what the runs of a plan cost and how long they take, and compares the plan with one function. */
import type { AnalyzedModel } from './analyze';
import { planCosts } from './cuttable-graph';
import type { AlternativeRun, Offer, WholeModel } from '../cost/alternatives/alternative';
import { type Comparison, type SlicedPlan, compareAlternatives } from '../cost/alternatives/compare';
import { batchItem, type BatchItem } from '../cost/batch-items';
import { QUANTILES, type RunCost } from '../cost/chain';
import { type End, environmentAt } from '../cost/constants/ends';
import type { Architecture } from '../cost/formulas/lambda';
import { withDefaults } from '../cost/options';
import { costOf } from '../cost/schedule';
import type { ChosenCut } from '../plan/slicers/slicer';
import { batchRuns } from '../plan/pricing/batch-runs';
import { plannedRuns } from '../plan/pricing/plan-runs';
import { wholeModel as wholeCut } from '../plan/pricing/price';
import { type Goal, DEFAULT_GOAL } from '../plan/goal';
import type { Slicer } from '../plan/slicers';
import { optimizedMemoryMb } from '../plan/sizes/folded-constants';
import { uselessSlicesNote } from '../plan/notes';
import { listed, printable } from '../errors';
import type { PlannedTypes } from '../shapes/planned-types';

/** What a run costs and takes, also where it is fastest and where it is slowest. */
export interface RunEstimate extends RunCost {
  readonly ends: Readonly<Record<End, RunCost>>;
}

export interface PlanEstimates {
  /** A run that finds all functions warm: with consolidation, one that the whole model serves. */
  readonly warm: RunEstimate;
  /** A run that finds all functions cold. With consolidation, it also asks the whole model and lets it load. */
  readonly cold: RunEstimate;
  readonly batchItem: BatchItem;
  readonly oneFunction: OneFunction;
  /** Only with consolidation: milliseconds of a warm call of the whole model, without random delays. */
  readonly wholeCallMs?: number;
  /** See `refusedSizesNote`. */
  readonly refusedSizes?: string;
  /** See `uselessSlicesNote`. */
  readonly uselessSlices?: string;
}

/** The plan beside one Lambda function that runs the whole model without a state machine. */
export interface OneFunction {
  /** Whether it keeps the limits of the plan, costs less at the rate of requests, and is about as fast. */
  readonly isCheaper: boolean;
  /** Compares the two in one sentence without a full stop: the first one of `sliced-inference plan`. */
  readonly verdict: string;
  /** The size that is compared, in MB. */
  readonly memoryMb: number;
  readonly warm: RunEstimate;
  readonly cold: RunEstimate;
}

export function planEstimates(analyzed: AnalyzedModel, cut: ChosenCut, slicer: Slicer): PlanEstimates {
  const limits = planLimits(slicer);
  const { plan, sizes, consolidated } = plannedRuns(analyzed, cut, limits.goal);
  const comparison = servicesBeside(analyzed, plan, limits);
  const refusedSizes = refusedSizesNote(analyzed.planned);
  const uselessSlices = uselessSlicesNote(sizes);
  const planAt = (end: End) => plannedRuns(analyzedAt(analyzed, end), cut, limits.goal).plan;
  const ends = { fast: planAt('fast'), slow: planAt('slow') };
  const comparisonAt = (end: End) => servicesBeside(analyzedAt(analyzed, end), ends[end], limits);
  const estimateOf = (temperature: 'warm' | 'cold'): RunEstimate => ({
    ...costOf(plan, 0, temperature),
    ends: { fast: costOf(ends.fast, 0, temperature), slow: costOf(ends.slow, 0, temperature) },
  });
  return {
    warm: estimateOf('warm'),
    cold: estimateOf('cold'),
    batchItem: batchItem(batchRuns(analyzed, cut), batchRuns(analyzedAt(analyzed, 'slow'), cut)),
    oneFunction: oneFunctionOf(comparison, { fast: comparisonAt('fast'), slow: comparisonAt('slow') }),
    ...(refusedSizes !== undefined && { refusedSizes }),
    ...(uselessSlices !== undefined && { uselessSlices }),
    ...(consolidated && { wholeCallMs: consolidated.wholeCallMs }),
  };
}

function oneFunctionOf(
  { alternatives, verdict, requests: { perHour } }: Comparison,
  ends: Readonly<Record<End, Comparison>>,
): OneFunction {
  const offerOf = (from: Comparison['alternatives'], index?: number): Offer => {
    const own = from.find(({ id }) => id === 'one-function');
    if (own === undefined) throw new Error('no comparison with one function');
    return own.at(perHour, index);
  };
  const { index, memoryMb = 0, ...runs } = offerOf(alternatives);
  const [fast, slow] = [ends.fast, ends.slow].map((end) => offerOf(end.alternatives, index));
  const costAt = ({ dollars = 0, time }: AlternativeRun): RunCost => ({
    dollars,
    latency: { p50: time.quantile(QUANTILES.p50), p95: time.quantile(QUANTILES.p95) },
  });
  const estimateOf = (temperature: 'warm' | 'cold'): RunEstimate => ({
    ...costAt(runs[temperature]),
    ends: { fast: costAt(fast[temperature]), slow: costAt(slow[temperature]) },
  });
  const estimates = { warm: estimateOf('warm'), cold: estimateOf('cold') };
  return {
    ...{ isCheaper: verdict.choice === 'one-function', verdict: verdict.sentences[0] },
    ...{ memoryMb, ...estimates },
  };
}

/** The same model with the costs of an environment whose believed and fitted constants make runs fastest or slowest. */
export function analyzedAt(analyzed: AnalyzedModel, end: End): AnalyzedModel {
  const { cuts, costs } = analyzed;
  const environment = environmentAt(withDefaults(costs).environment, end);
  return { ...analyzed, cuts: { ...cuts, costs: cuts.costs.at(end) }, costs: { ...costs, environment } };
}

/** The same model and cuts with the costs of functions with other processors. */
export function analyzedOn(analyzed: AnalyzedModel, architecture: Architecture): AnalyzedModel {
  const { model, types, planned, cuts, splitting } = analyzed;
  const costs = { ...analyzed.costs, architecture };
  const known = { types, planned: planned.types, bodies: planned.bodies };
  const { splits } = splitting;
  return { ...analyzed, costs, cuts: { ...cuts, costs: planCosts(model, known, { ...costs, splits }) } };
}

/** By what a plan is chosen, and what also binds the services that it is compared with. */
export interface PlanLimits {
  readonly goal: Goal;
  /** Most memory of a function in MB, if there is a limit besides Lambda's: only a search has one. */
  readonly maxMemoryMb?: number;
}

export function planLimits({ goal = DEFAULT_GOAL }: Pick<Slicer, 'goal'>): PlanLimits {
  return { goal, maxMemoryMb: goal.maxMemoryMb };
}

/** Compares a plan with other services: synthesis and `sliced-inference plan` say the same of it. */
export function servicesBeside(
  analyzed: AnalyzedModel,
  plan: SlicedPlan,
  { goal, maxMemoryMb }: PlanLimits,
): Comparison {
  const { maxLatencyMs, quantile, maxDollars, temperature } = goal;
  const given = goal.requestsPerHour ?? analyzed.costs.requestsPerHour;
  const { requestsPerHour } = analyzed.cuts.costs.model(goal.requestsPerHour).options;
  return compareAlternatives(wholeModel(analyzed), plan, {
    ...analyzed.costs,
    requestsPerHour,
    isRateAssumed: given === undefined,
    temperature,
    targets: {
      ...{ maxLatencyMs, quantile, maxMemoryMb },
      ...(maxDollars !== undefined && { maxDollarsPerMillion: maxDollars * 1e6 }),
    },
  });
}

function wholeModel(analyzed: AnalyzedModel): WholeModel {
  const { outputSecondsPerByte } = analyzed.cuts.costs;
  const { size } = wholeCut(analyzed.dataflow, analyzed.cuts);
  return {
    peakMemoryMb: optimizedMemoryMb(analyzed.dataflow, analyzed.planned.bytes, size),
    fileBytes: analyzed.source.reduce((sum, file) => sum + file.size, 0),
    packedBytes: size.packedBytes,
    activationBytes: size.activationBytes,
    coreSeconds: size.coreSeconds + outputSecondsPerByte * size.outputBytes,
    requestBytes: size.readBytes,
    responseBytes: size.writeBytes,
  };
}

const NAMED = 4;

/** In a sentence without a full stop, if ONNX Runtime does not load the model with the planned sizes. */
export function refusedSizesNote({ dimensions, refusal }: PlannedTypes): string | undefined {
  if (refusal === undefined) return undefined;
  const sizes = Object.entries(dimensions).map(([name, size]) => `${printable(name)}=${size}`);
  return `ONNX Runtime refuses the model with ${listed(sizes, NAMED)}, so most sizes are estimates: ${refusal}`;
}
