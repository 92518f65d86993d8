/** Prices all alternatives to a plan beside it. */
import type { Temperature } from '../chain';
import { storagePerMonth } from '../formulas/s3';
import { type CostOptions, withDefaults } from '../options';
import type { RunOutcomes } from '../schedule';
import * as services from './alternative';
import { fargate } from './fargate';
import { lambdaFunction } from './lambda-function';
import { otherServices } from './other-services';
import { type Verdict, verdictOf } from './verdict';
import { type Requests, inMb } from './wording';

/** A plan with its price: what slices cost under the state machine. */
export interface SlicedPlan extends RunOutcomes {
  readonly slices: number;
  readonly memoryMb: number;
  readonly fileBytes: number;
  /** Whether one function also has the whole model, which serves warm runs. */
  readonly whole?: true;
}

export interface ComparisonOptions extends CostOptions {
  /** The rate for which the verdict is given. The prices by rate do not depend on it. */
  readonly requestsPerHour: number;
  /** Whether no user named that rate. @default false */
  readonly isRateAssumed?: boolean;
  /** The runs that prices and limits are about, as in the search for plans. @default 'mixed' */
  readonly temperature?: Temperature;
  readonly targets?: services.Targets;
}

export interface Comparison {
  readonly requests: Requests;
  /** The plan first. */
  readonly alternatives: readonly services.Alternative[];
  readonly verdict: Verdict;
}

export function compareAlternatives(
  model: services.WholeModel,
  plan: SlicedPlan,
  { targets = {}, temperature = 'mixed', isRateAssumed = false, ...given }: ComparisonOptions,
): Comparison {
  const options = withDefaults(given);
  const setting: services.AlternativeSetting = { options, targets, temperature };
  const { requestsPerHour: perHour } = options;
  const coldShare = services.comparedColdShare(setting, perHour);
  const requests: Requests = { perHour, isAssumed: isRateAssumed, temperature, coldShare };
  const slices = services.alternativeOf(setting, slicesOf(plan, setting));
  const alternatives = [
    slices,
    services.alternativeOf(setting, lambdaFunction(model, setting), slices),
    services.alternativeOf(setting, fargate(model, setting)),
    ...otherServices(model, setting).map((own) => services.alternativeOf(setting, own)),
  ];
  return { requests, alternatives, verdict: verdictOf(alternatives, requests) };
}

function slicesOf(plan: SlicedPlan, { options }: services.AlternativeSetting): services.Service {
  const { warm, cold, slices, memoryMb, fileBytes, whole } = plan;
  const size = {
    nameAt: () => (slices === 1 ? inMb(memoryMb) : `up to ${inMb(memoryMb)}`),
    ...{ breaks: [], warm, cold },
    dollarsPerMonth: services.payPerRun(warm, cold, storagePerMonth(fileBytes, options.prices)),
  };
  const name =
    slices === 1
      ? 'one slice behind a state machine'
      : `${slices} slices${whole ? ' with consolidation' : ''}`;
  return { id: 'slices', name, notes: [], sizes: [size] };
}
