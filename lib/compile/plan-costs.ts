/** The estimates of work and cost by which the plans of a model are compared. */
import { type DetailedCostModel, costModel } from '../cost/model';
import type { CostOptions } from '../cost/options';
import { DEFAULT_ENVIRONMENT } from '../cost/constants/environment';
import type { Model } from '../onnx/model';
import type { PlanCosts } from '../plan/cuts/cuts';
import { scratchBytes } from '../plan/sizes/kernels/scratch';
import { sizeClasses } from '../shapes/size-classes';
import type { ValueTypes } from '../shapes/value-types';
import { nodeSeconds } from '../compute-time/node-seconds';
import { OUTPUT_BANDWIDTH } from '../compute-time/reference-processor';
import type { ModelProfile } from '../compute-time/profile/profile';

/** Requests per hour of a mix of warm and cold runs, if the user names no rate: about a third of such runs is cold. */
export const DEFAULT_REQUESTS_PER_HOUR = 10;

/** What plans are compared by, besides the model. */
export interface PlanCostOptions extends CostOptions {
  readonly profile?: ModelProfile;
}

export interface KnownTypes {
  /** What ONNX Runtime infers without knowing the sizes of requests. */
  readonly types: ValueTypes;
  /** The types with the planned sizes in all shapes. */
  readonly planned: ValueTypes;
}

export function planCosts(
  model: Model,
  { types, planned }: KnownTypes,
  { profile, ...options }: PlanCostOptions = {},
): PlanCosts {
  const { environment = DEFAULT_ENVIRONMENT } = options;
  const speed = environment.processor.lambdaSpeed;
  // A model keeps the sums of delays that were asked for.
  const models = new Map<string, DetailedCostModel>();
  return {
    work: nodeSeconds(model, planned, profile).map((seconds) => seconds / speed),
    scratch: scratchBytes(model, planned),
    classes: sizeClasses(types),
    outputSecondsPerByte: 1 / (OUTPUT_BANDWIDTH * speed),
    ...(options.warmUp !== undefined && { warmUp: options.warmUp }),
    model: (
      requestsPerHour = options.requestsPerHour ?? DEFAULT_REQUESTS_PER_HOUR,
      warmUp = options.warmUp,
    ) => {
      const key = `${requestsPerHour} ${warmUp}`;
      const known = models.get(key) ?? costModel({ ...options, requestsPerHour, warmUp });
      models.set(key, known);
      return known;
    },
  };
}
