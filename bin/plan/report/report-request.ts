/** What a report needs to know about the user's choices, besides the model and its cut. */
import type { PlanLimits } from '../../../lib/compile/plan-estimates';
import type { BatchRequest } from './reported-batch';
import type { Transport } from '../../../lib/cost/chain';

export interface ReportRequest extends PlanLimits {
  /** Where slices write what later slices read. @default 's3-standard' */
  readonly transport?: Transport;
  /** What differs between the model's profile and this plan. @default [] */
  readonly profileDifferences?: readonly string[];
  /** @default - the report says nothing of a batch */
  readonly batch?: BatchRequest;
}
