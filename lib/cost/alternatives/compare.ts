/** Prices all alternatives to a plan beside it. */
import type { Temperature } from '../chain';
import { type CostOptions, withDefaults } from '../options';
import { storagePerMonth } from '../formulas/s3';
import type { RunOutcomes } from '../schedule';
import {
  type Alternative,
  type AlternativeSetting,
  type Targets,
  type WholeModel,
  payPerRun,
} from './alternative';
import { containerImage } from './container-image';
import { fargate } from './fargate';
import { managedInstances, managedInstancesWithGpu } from './managed-instances';
import { microVm } from './micro-vm';
import { oneFunction } from './one-function';
import { sageMakerServerless } from './sagemaker-serverless';
import { alternativeOf, comparedColdShare } from './sizes';
import { snapStart } from './snap-start';
import { type Verdict, verdictOf } from './verdict';
import { type Winner, winners } from './winners';
import { grouped } from './wording';

/** A plan with its price: what slices cost under the state machine. */
export interface SlicedPlan extends RunOutcomes {
  readonly slices: number;
  /** Memory of the largest function, in MB. */
  readonly memoryMb: number;
  readonly fileBytes: number;
  /** Whether one function also has the whole model, which serves warm runs. */
  readonly whole?: true;
}

export interface ComparisonOptions extends CostOptions {
  /** The rate for which the verdict is given. The prices by rate and their winners do not depend on it. */
  readonly requestsPerHour: number;
  /** Whether no user named that rate. @default false */
  readonly isRateAssumed?: boolean;
  /** The runs that prices and limits are about, as in the search for plans. @default 'mixed' */
  readonly temperature?: Temperature;
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
  given: ComparisonOptions,
): Comparison {
  const {
    targets = {},
    temperature = 'mixed',
    resultInS3 = false,
    isRateAssumed = false,
    ...options
  } = given;
  const { requestsPerHour } = options;
  const setting: AlternativeSetting = { options: withDefaults(options), targets, temperature, resultInS3 };
  const alternatives = [
    ...(plan === undefined ? [] : [slicesOf(plan, setting)]),
    ...[
      oneFunction,
      containerImage,
      snapStart,
      microVm,
      managedInstances,
      managedInstancesWithGpu,
      sageMakerServerless,
      fargate,
    ].map((alternative) => alternative(model, setting)),
  ];
  const ranges = winners(alternatives);
  const coldShare = comparedColdShare(setting, requestsPerHour);
  return {
    alternatives,
    winners: ranges,
    verdict: verdictOf(alternatives, ranges, { requestsPerHour, isRateAssumed, temperature, coldShare }),
  };
}

function slicesOf(plan: SlicedPlan, setting: AlternativeSetting): Alternative {
  const { warm, cold } = plan;
  const suffix = plan.whole ? ' with consolidation' : '';
  return alternativeOf(
    setting,
    { id: 'slices', name: plan.slices === 1 ? 'one slice' : `${plan.slices} slices${suffix}`, notes: [] },
    [
      {
        nameAt: () => `up to ${grouped(plan.memoryMb)} MB`,
        breaks: [],
        warm,
        cold,
        dollarsPerMonth: payPerRun(warm, cold, storagePerMonth(plan.fileBytes, setting.options.prices)),
      },
    ],
  );
}
