/** What calls return, and what they report meanwhile. */
import type { CallTiming, ObjectReference, ServedBy } from '../contract/execution';
import type { TypedTensor } from './tensors/tensor-forms';

/** What `infer` returns. */
export interface InferenceResult {
  /** The results by name. The record has no prototype. */
  readonly outputs: Readonly<Record<string, TypedTensor>>;
  /** ARN of the execution; for an Express execution, `states:DescribeExecution` does not know it. */
  readonly executionArn: string;
  /** The safetensors object with all results, until the bucket's lifecycle rule removes it. Absent with `results: 'inline'`. */
  readonly resultsObject?: ObjectReference;
  /** Identifies the run; a part of the key of its results. */
  readonly run: string;
  /** Measurements of each slice; of a run that the whole model served, of that function alone. */
  readonly timings: readonly CallTiming[];
  /**
   * The classes of the processors on which the functions ran, such as `x86_64 AVX2`, each once. If there are several, the results may differ in
   * their last bits from those of the whole model on each of them. Empty if the pipeline is of an earlier version of this package.
   */
  readonly processors: readonly string[];
  /** Only of a pipeline with consolidation: whether the function of the whole model served the run, or the slices did. */
  readonly servedBy?: ServedBy;
  /** Identifies the model, code and settings that computed the results. */
  readonly deploymentDigest: string;
}

/** The output of an execution with functions before or after the slices. */
export interface InvocationResult {
  /** The execution's output: any JSON. */
  readonly output: unknown;
  /** ARN of the execution. */
  readonly executionArn: string;
}

/** A step of an execution. */
export interface InferenceProgress {
  /**
   * What has happened. `restarted`: a deployment has replaced the model, and the execution starts again. `requestFailed`: the
   * client could not start an execution or ask for its state, and tries again. `requestAnswered`: a request has succeeded after
   * failed ones.
   */
  readonly event:
    'started' | 'stateEntered' | 'stateExited' | 'requestFailed' | 'requestAnswered' | 'restarted' | 'ended';
  /** Milliseconds since 1970; of states by the clock of Step Functions. */
  readonly time: number;
  /** Name of the state, such as `Slice 00`. */
  readonly state?: string;
  /** An Express execution has none before its end. */
  readonly executionArn?: string;
  /** Of `requestFailed`: why. */
  readonly error?: Error;
}
