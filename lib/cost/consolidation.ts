/**
 * The cost and the latency of a pipeline whose slices serve a cold model, and one function a warm one. A warm run is one call
 * of that function. A cold run asks it first, then runs the slices, and loads it beside them by an asynchronous call.
 */
import type { SliceDemand } from './chain';
import { type CostOptions, withDefaults } from './options';
import { durationRate, initMs, logDollars, singleThreadMs, vcpuShare } from './formulas/lambda';
import { hostOf, loadTiming } from './formulas/slice-timing';
import { executionDollarsPerMs } from './formulas/step-functions';
import type { DetailedCostModel } from './model';
import type { RunOutcome, RunOutcomes } from './schedule';
import type { DetailedStep } from './step';

/**
 * What the slices must save of the time that the whole model takes to load, for AUTOMATIC. The question of a cold run takes a new
 * sandbox and a transition, which are half a second (`lambda.placementMs`, `lambda.x86InitMs`, `stepFunctions.standard1KiB`), and the
 * whole model is stored and loaded besides. So the slices must save four times that.
 */
export const MIN_SAVED_MS = 2_000;

/** Milliseconds to download files and create a session, which AUTOMATIC compares. */
export function wholeLoadMs(
  files: Pick<SliceDemand, 'fileBytes' | 'packedBytes'>,
  memoryMb: number,
  given: CostOptions,
): number {
  const { downloadMs, sessionMs } = loadTiming(
    { ...files, activationBytes: 0 },
    memoryMb,
    hostOf(withDefaults(given)),
  );
  return downloadMs + sessionMs;
}

/** The function of the whole model, priced as the only slice of a pipeline of its own. */
export interface PricedWhole {
  readonly step: DetailedStep;
  readonly memoryMb: number;
  readonly warm: RunOutcome;
}

/**
 * @param slices of the pipeline without consolidation
 * @param hasParallel whether its cold runs begin with a parallel state, in which the load is one more branch
 */
export function consolidatedOutcomes(
  model: DetailedCostModel,
  slices: RunOutcomes,
  whole: PricedWhole,
  hasParallel: boolean,
): RunOutcomes {
  const { prices, environment, architecture, stateMachineType } = model.options;
  const { lambda, handler, logs } = environment;
  const vcpus = vcpuShare(whole.memoryMb, environment);
  // The question takes as long as the warm-up of a warm function, and its sandbox starts without ONNX Runtime.
  const billedMs =
    initMs(architecture, environment) - lambda.runtimeLoadMs + singleThreadMs(handler.callCpuMs, vcpus);
  const time = slices.cold.time.plus(model.transition).shift(lambda.placementMs + billedMs);
  const addedStates = hasParallel ? 2 : 3;
  const addedMachine =
    stateMachineType === 'standard'
      ? (addedStates * prices.stepFunctions.standardTransitions) / 1e6
      : (time.mean - slices.cold.time.mean) * executionDollarsPerMs(stateMachineType, prices, environment);
  const machineDollars = slices.cold.machineDollars + addedMachine;
  const calls =
    (2 * prices.lambda.requests) / 1e6 +
    billedMs * durationRate(whole.memoryMb, architecture, prices) +
    logDollars(2 * (logs.callBytes + logs.warmUpBytes), prices);
  const load = whole.step.coldDollars - whole.step.warmDollars + claimDollars(model);
  const functions = slices.cold.dollars - slices.cold.machineDollars;
  return {
    warm: whole.warm,
    cold: { time, machineDollars, dollars: functions + calls + load + machineDollars },
  };
}

/** A loader writes its claim, reads it again and frees it. */
function claimDollars({ stores }: DetailedCostModel): number {
  const { putDollars, getDollars } = stores['s3-standard'];
  return 2 * putDollars + getDollars;
}
