/** What calls return. */
import type { CallTiming, ObjectReference, ServedBy } from '../contract/execution';
import type { TypedTensor } from './tensors/tensor-forms';

export interface InferenceResult {
  /** The results by name. The record has no prototype. */
  readonly outputs: Readonly<Record<string, TypedTensor>>;
  readonly executionArn: string;
  /** The safetensors object with all results, until the bucket's lifecycle rule removes it. Absent with `results: 'inline'`. */
  readonly resultsObject?: ObjectReference;
  /** Identifies the run; a part of the key of its results. */
  readonly run: string;
  /** Measurements of each slice; of a run that the whole model served, of that function alone. */
  readonly timings: readonly CallTiming[];
  /** Only of a pipeline with consolidation: whether the function of the whole model served the run, or the slices did. */
  readonly servedBy?: ServedBy;
  /** Identifies the model, code and settings that computed the results. */
  readonly deploymentDigest: string;
}

/** The output of an execution with functions before or after the slices. */
export interface InvocationResult {
  /** The execution's output: any JSON. */
  readonly output: unknown;
  readonly executionArn: string;
}

/** One of many inferences, in the order of the inputs. */
export type ManyResult =
  | { readonly index: number; readonly result: InferenceResult; readonly error?: undefined }
  | { readonly index: number; readonly error: Error; readonly result?: undefined };
