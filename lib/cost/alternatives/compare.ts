/** Prices all alternatives to a plan beside it. */
import type { RunCost } from '../cost-model';
import type { CostOptions } from '../cost-options';
import { withDefaults } from '../cost-options';
import { coldShare } from '../formulas/lambda';
import { storagePerMonth } from '../formulas/s3';
import type { Alternative, AlternativeSetting, Targets, WholeModel } from './alternative';
import { grouped, missedTargets, payPerRun } from './alternative';
import { containerImage } from './container-image';
import { fargate } from './fargate';
import { managedInstances, managedInstancesWithGpu } from './managed-instances';
import { oneFunction } from './one-function';
import { sageMakerServerless } from './sagemaker-serverless';
import { snapStart } from './snap-start';
import type { Verdict } from './verdict';
import { verdictOf } from './verdict';
import type { Winner } from './winners';
import { winners } from './winners';

/** A plan with its price: what a chain of slices costs under the state machine. */
export interface SlicedPlan {
  readonly slices: number;
  /** Memory of the largest function, in MB. */
  readonly memoryMb: number;
  readonly fileBytes: number;
  readonly warm: RunCost;
  readonly cold: RunCost;
}

export interface ComparisonOptions extends CostOptions {
  readonly targets?: Targets;
  /** Whether one function writes its results to S3 even if they fit into its response. @default false */
  readonly resultInS3?: boolean;
}

export interface Comparison {
  /** The plan first, if there is one. */
  readonly alternatives: readonly Alternative[];
  /** By ascending rates: the cheapest alternative that breaks no limit. */
  readonly winners: readonly Winner[];
  readonly verdict: Verdict;
}

/** @param plan undefined if no plan meets the limits */
export function compareAlternatives(
  model: WholeModel,
  plan: SlicedPlan | undefined,
  given: ComparisonOptions = {},
): Comparison {
  const { targets = {}, resultInS3 = false, ...options } = given;
  const setting: AlternativeSetting = { options: withDefaults(options), targets, resultInS3 };
  const alternatives = [
    ...(plan === undefined ? [] : [slicesOf(plan, setting)]),
    ...[
      oneFunction,
      containerImage,
      snapStart,
      managedInstances,
      managedInstancesWithGpu,
      sageMakerServerless,
      fargate,
    ].map((alternative) => alternative(model, setting)),
  ];
  const ranges = winners(alternatives.filter(({ breaks }) => breaks.length === 0));
  return {
    alternatives,
    winners: ranges,
    verdict: verdictOf(alternatives, ranges, given.requestsPerHour),
  };
}

function slicesOf(plan: SlicedPlan, { options, targets }: AlternativeSetting): Alternative {
  const { warm, cold } = plan;
  const { environment, prices } = options;
  return {
    id: 'slices',
    name: plan.slices === 1 ? 'one slice' : `${plan.slices} slices`,
    size: `up to ${grouped(plan.memoryMb)} MB`,
    breaks: missedTargets(warm, cold, targets),
    notes: [],
    warm,
    cold,
    dollarsPerMonth: payPerRun(
      warm,
      cold,
      (rate) => coldShare(rate, environment),
      storagePerMonth(plan.fileBytes, prices),
    ),
  };
}
