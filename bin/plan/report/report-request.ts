/** What a report needs to know about the user's choices, besides the model and its cut. */
import type { Transport } from '../../../lib/cost/chain';
import type { Goal } from '../../../lib/plan/goal';

export interface ReportRequest {
  /** By what the plan was chosen. */
  readonly goal: Goal;
  /** Most memory of a function in MB, if there is a limit besides Lambda's. */
  readonly maxMemoryMb?: number;
  /** Where slices write what later slices read. @default 's3-standard' */
  readonly transport?: Transport;
  /** Which choices of the pipeline are the user's, and not assumed. @default none */
  readonly given?: Partial<Record<GivenChoice, boolean>>;
  /** What differs between the model's profile and this plan. @default [] */
  readonly profileDifferences?: readonly string[];
}

type GivenChoice =
  | 'requestsPerHour'
  | 'maxMemoryMb'
  | 'stateMachineType'
  | 'architecture'
  | 'warmUp'
  | 'tensorsInState'
  | 'tensorStore';

export function isRateGiven({ goal, given = {} }: ReportRequest): boolean {
  return goal.requestsPerHour !== undefined || given.requestsPerHour === true;
}
