/** Estimates what the runs of a plan cost and how long they take, and compares the plan with one function. */
import type { AnalyzedModel } from './analyze';
import type { Alternative, Targets, WholeModel } from '../cost/alternatives/alternative';
import type { SlicedPlan } from '../cost/alternatives/compare';
import { compareAlternatives } from '../cost/alternatives/compare';
import type { RunCost, Temperature } from '../cost/cost-model';
import type { ChosenCut } from '../plan/best-cut';
import { bestCut } from '../plan/best-cut';
import { priceSchedule } from '../plan/schedule/price';
import { scheduleSlices } from '../plan/schedule/schedule';
import type { Goal, Slicer } from '../plan/search/slicers';
import { DEFAULT_GOAL, count } from '../plan/search/slicers';
import type { SliceSize } from '../plan/sizes/estimate';
import { memoryMb, threadCount } from '../plan/sizes/estimate';
import { DEFAULT_MAX_MEMORY_MB } from '../plan/sizes/lambda-quotas';
import { sliceSizes } from '../plan/sizes/slice-sizes';
import type { WiredCut } from '../plan/wiring/wiring';

/** What is known of a plan besides its slices. */
export interface PlanEstimates {
  /** A run that finds all functions warm. */
  readonly warm: RunCost;
  /** A run that finds all functions cold. */
  readonly cold: RunCost;
  readonly oneFunction: OneFunction;
  /** How the profile differs from the plan, one clause each. Empty if there is no profile or no difference. */
  readonly profileDifferences: readonly string[];
}

/** The plan beside one Lambda function that runs the whole model without a state machine. */
export interface OneFunction {
  /** Whether it keeps the limits of the plan, costs less, and is faster both warm and cold. */
  readonly isBetter: boolean;
  /** Compares the two in one sentence without a full stop. */
  readonly verdict: string;
}

export function planEstimates(analyzed: AnalyzedModel, cut: ChosenCut, slicer: Slicer): PlanEstimates {
  const { goal = DEFAULT_GOAL } = slicer;
  const plan = slicedPlan(analyzed, cut, goal);
  const { requestsPerHour = analyzed.costs.requestsPerHour } = goal;
  const { alternatives, verdict } = compareAlternatives(wholeModel(analyzed), plan, {
    ...analyzed.costs,
    ...(requestsPerHour !== undefined && { requestsPerHour }),
    targets: targetsOf(goal),
  });
  const slices = alternatives.find(({ id }) => id === 'slices');
  const whole = alternatives.find(({ id }) => id === 'one-function');
  return {
    warm: plan.warm,
    cold: plan.cold,
    oneFunction: {
      isBetter: verdict.choice === 'one-function' && isFaster(whole, slices),
      verdict: verdict.sentences[0].text,
    },
    profileDifferences: analyzed.profile?.differences ?? [],
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

/** The plan with the price and the time of its warm and its cold runs. */
export function slicedPlan(analyzed: AnalyzedModel, cut: ChosenCut, goal: Goal = DEFAULT_GOAL): SlicedPlan {
  const sizes = sizesOf(analyzed, cut);
  const least = sizes.map(memoryMb);
  const settings = cut.settings ?? {
    memoryMb: least,
    threads: threadCount(Math.max(...least)),
    transport: analyzed.transport,
  };
  const schedule = scheduleSlices({ slices: cut.wiring.slices, outputs: cut.wiring.results });
  const { costs } = analyzed.cuts;
  const model = costs.model(goal.requestsPerHour);
  const { outputSecondsPerByte } = costs;
  const costOf = (temperature: Temperature): RunCost =>
    priceSchedule(schedule, sizes, settings, { model, temperature, outputSecondsPerByte }).cost;
  return {
    slices: sizes.length,
    memoryMb: Math.max(...settings.memoryMb),
    fileBytes: sizes.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
    warm: costOf('warm'),
    cold: costOf('cold'),
  };
}

function sizesOf({ cuts }: AnalyzedModel, { dataflow, wiring }: WiredCut): SliceSize[] {
  return sliceSizes(dataflow, wiring, cuts.bytes, cuts.costs);
}

/** A mix has both kinds of runs. Its limits are those of warm runs here, which every alternative can reach more easily. */
function targetsOf({ maxLatencyMs, quantile, temperature, maxDollars, maxMemoryMb }: Goal): Targets {
  return {
    ...(maxLatencyMs !== undefined && { maxLatencyMs }),
    quantile,
    temperature: temperature === 'cold' ? 'cold' : 'warm',
    ...(maxDollars !== undefined && { maxDollarsPerMillion: maxDollars * 1e6 }),
    maxMemoryMb: maxMemoryMb ?? DEFAULT_MAX_MEMORY_MB,
  };
}

function isFaster(one?: Alternative, other?: Alternative): boolean {
  if (one === undefined || other === undefined) return false;
  return (['warm', 'cold'] as const).every(
    (temperature) => one[temperature].latency.p50 <= other[temperature].latency.p50,
  );
}
