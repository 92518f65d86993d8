/** Predicts the warm and the cold time of a model's pipeline with the model of cost. */
import { planCosts } from '../../lib/compile/cuttable-graph';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { compileCut } from '../../lib/compile/compile';
import type { Environment } from '../../lib/cost/constants/defaults';
import { costModel } from '../../lib/cost/model';
import { scheduleCost } from '../../lib/cost/schedule';
import { bestCut } from '../../lib/plan/best-cut';
import type { PlanDraft } from '../../lib/plan/file/plan';
import { scheduleSlices, withWarmUps } from '../../lib/plan/schedule/schedule';
import { demandOf } from '../../lib/plan/pricing/price';
import { count } from '../../lib/plan/slicers';
import { sliceSizes } from '../../lib/plan/sizes/slice-sizes';
import type { WiredCut } from '../../lib/plan/wiring/wiring';
import type { ModelProfile } from '../../lib/compute-time/profile/profile';

/** A model that is cut as its deployment cuts it. */
export interface PlannedRun {
  readonly analyzed: AnalyzedModel;
  readonly cut: WiredCut;
  readonly plan: PlanDraft;
}

export function plannedRun(analyzed: AnalyzedModel, slices: number): PlannedRun {
  const cut = bestCut(analyzed.dataflow, analyzed.cuts, count(slices));
  return { analyzed, cut, plan: compileCut(analyzed, cut).plan };
}

/** What decides a prediction, besides the plan. */
export interface Assumptions {
  readonly environment: Environment;
  readonly profile: ModelProfile;
  readonly warmUp: boolean;
  readonly stateMachineType: 'express' | 'standard';
}

/** Milliseconds from the start of an execution to its end: medians. */
export interface PredictedRun {
  readonly warm: number;
  readonly cold: number;
}

/** The caller writes the request before the run, and does not read the result. */
export function predictRun({ analyzed, cut, plan }: PlannedRun, given: Assumptions): PredictedRun {
  const { environment, profile, warmUp, stateMachineType } = given;
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const result = 'inline';
  const model = costModel({ environment, warmUp, stateMachineType, architecture, result });
  const costs = planCosts(
    analyzed.model,
    { types: analyzed.types, planned: analyzed.planned.types },
    {
      profile,
      environment,
    },
  );
  const sizes = sliceSizes(cut.dataflow, cut.wiring, analyzed.cuts.bytes, costs);
  const last = sizes.length - 1;
  const steps = sizes.map((size, slice) => {
    const { model: graph, weights, memoryMb } = plan.slices[slice];
    const coreSeconds =
      size.coreSeconds +
      profile.machine.callSeconds / environment.processor.lambdaSpeed +
      // A profile has the time to write the results of the model.
      (slice === last ? 0 : size.writeBytes * costs.outputSecondsPerByte);
    const demand = { ...demandOf(size, 0), coreSeconds, fileBytes: graph.bytes + (weights?.bytes ?? 0) };
    const readsFrom = slice === 0 ? ('request' as const) : ('s3-standard' as const);
    const choice = { memoryMb, threads: plan.threads, readsFrom, writesTo: 's3-standard' as const };
    return { ...choice, cost: model.step(demand, choice) };
  });
  const inSequence = scheduleSlices(plan);
  const schedule = warmUp ? withWarmUps(inSequence) : inSequence;
  const timeOf = (temperature: 'warm' | 'cold'): number =>
    scheduleCost(model, schedule, steps, temperature).latency.p50;
  return { warm: timeOf('warm'), cold: timeOf('cold') };
}
