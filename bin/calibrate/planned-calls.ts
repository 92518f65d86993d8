/** What the model of cost predicts of calls: plans the slices of a plan file for the pipeline that the log shows. */
import { analyzeModel } from '../../lib/compile/analyze';
import { readPlan } from '../../lib/compile/files/read-plan';
import { cutModel } from '../../lib/compile/fit-by-splits';
import type { CostOptions } from '../../lib/cost/options';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { largestOf } from '../../lib/extremes';
import { plannedRuns } from '../../lib/plan/pricing/plan-runs';
import { demandOf } from '../../lib/plan/pricing/price';
import { slicesOf } from '../../lib/plan/schedule/schedule';
import { fromPlan } from '../../lib/plan/slicers';
import { modelOf } from '../plan/compare/compared-plan';
import { type LoggedCall, startOf } from './read-logs';

export type PlannedPipeline = ReturnType<typeof plannedPipeline>;

/** @throws SlicedInferenceError if the calls are not of one deployment of the plan */
export function plannedPipeline(calls: readonly LoggedCall[], file: string) {
  const plan = readPlan(file);
  const { slices: planned, dimensions, graphOptimization: optimization, prepacking = true } = plan;
  const architecture = architectureOf(calls[0]);
  const memoryMb = planned.map((own, slice) => (calls.find((call) => call.slice === slice) ?? own).memoryMb);
  const refuse = (fact: string, got: string): never => {
    const must = `calls must be of one deployment of plan ${quoted(file)}, ${fact}`;
    const advice = 'pass the plan that was deployed, and only lines since its deployment';
    throw new SlicedInferenceError(must, `a call ${got}`, advice);
  };
  for (const call of calls) {
    const own = planned.at(call.slice);
    if (!own) return refuse(`which has slices 0 to ${planned.length - 1}`, `of slice ${call.slice}`);
    const bytes = own.model.bytes + (own.weights?.bytes ?? 0);
    const wanted = `${bytes} bytes of files, ${memoryMb[call.slice]} MB and ${architecture}`;
    const got = `${call.weightBytes} bytes of files, ${call.memoryMb} MB and ${architectureOf(call)}`;
    if (got !== wanted) refuse(`whose slice ${call.slice} has ${wanted}`, `with ${got}`);
  }
  const costs: CostOptions = {
    ...{ architecture, prepacking },
    stateMachineType: startOf(calls[0]) === undefined ? 'express' : 'standard',
    warmUp: calls.some(({ warmedUp }) => warmedUp),
    request: calls.some(({ slice, cold, s3Gets }) => slice === 0 && !cold && s3Gets > 0) ? 's3' : 'inline',
    tensorsInState: calls.some(
      ({ slice, s3Puts, expressPuts }) => slice < planned.length - 1 && s3Puts + expressPuts === 0,
    ),
  };
  const transport = calls.some(({ expressPuts }) => expressPuts > 0) ? 's3-express' : 's3-standard';
  const model = analyzeModel(modelOf(plan, file), { dimensions, optimization, costs, transport });
  const { analyzed, cut } = cutModel(model, fromPlan(plan, file), 'never');
  const { costs: own } = analyzed.cuts;
  const settings = { memoryMb, threads: own.threads(largestOf(memoryMb)), transport } as const;
  const { slices, sizes } = plannedRuns(analyzed, { ...cut, settings });
  return {
    ...{ ...settings, options: slices.model.options, steps: slices.steps },
    demands: sizes.map((size) => demandOf(size, own.outputSecondsPerByte)),
    /** Whether no slices run side by side. */
    isChain: slices.schedule.every((stage) => slicesOf([stage]).length === 1),
  };
}

function architectureOf({ processor = '' }: LoggedCall): 'arm64' | 'x86_64' {
  return processor.startsWith('arm64') ? 'arm64' : 'x86_64';
}
