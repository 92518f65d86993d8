/** What a report needs to know about the user's choices, besides the model and its cut. */
import type { BatchShape } from '../../../lib/cost/batch';
import type { Transport } from '../../../lib/cost/chain';
import type { Goal } from '../../../lib/plan/goal';

export interface ReportRequest {
  /** By what the plan was chosen. */
  readonly goal: Goal;
  /** Most memory of a function in MB, if there is a limit besides Lambda's. */
  readonly maxMemoryMb?: number;
  /** Where slices write what later slices read. @default 's3-standard' */
  readonly transport?: Transport;
  /** Whether the user set the rate of requests that prices are for. @default false */
  readonly isRateGiven?: boolean;
  /** What differs between the model's profile and this plan. @default [] */
  readonly profileDifferences?: readonly string[];
  /** @default - the report says nothing of a batch */
  readonly batch?: BatchShape;
}

export function isRateGiven({ goal, isRateGiven: isGiven = false }: ReportRequest): boolean {
  return goal.requestsPerHour !== undefined || isGiven;
}
