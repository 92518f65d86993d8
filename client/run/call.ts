/** What the run of an execution knows of the call that it belongs to. */
import type { PollInterval } from '../options';
import type { InferenceProgress } from '../progress';
import type { StateMachineArn } from '../description/state-machine-arn';
import type { StepFunctions } from '../aws/step-functions';

export interface Call {
  readonly stateMachineArn: string;
  readonly machine: StateMachineArn;
  readonly stepFunctions: StepFunctions;
  readonly pollInterval: Required<PollInterval>;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Whether the end of the wait also stops the execution. */
  readonly stopOnAbort: boolean;
  /** Whether anyone wants to know of states. */
  readonly followsStates: boolean;
  /** Whether functions of the user stand before or after the slices. */
  readonly hasOwnFunctions: boolean;
  /** Adds the time to a report. */
  readonly report: (progress: Omit<InferenceProgress, 'time'> & { readonly time?: number }) => void;
  /** Remembers the execution, for errors. */
  readonly setExecution: (executionArn: string | undefined) => void;
  /** Remembers why the last request failed that is sent again, or that it did not fail. */
  readonly setFailure: (failure: Error | undefined) => void;
}
