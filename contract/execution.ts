/** What callers send to the state machine and what they receive. */
import type { TensorDataType } from './tensors';
import type { CONTRACT_VERSION } from './version';

/** A tensor as JSON: `base64` of its little-endian bytes, or `data` for requests typed by hand. Exactly one. */
export interface InlineTensor {
  readonly dtype: TensorDataType;
  readonly shape: readonly number[];
  readonly base64?: string;
  readonly data?: readonly (number | string | boolean)[];
}

/** The request's tensors: a safetensors object in the pipeline's bucket below `inputs/`, or inline. Exactly one. */
export interface ExecutionInputs {
  /** Key below `inputs/` in the pipeline's bucket. */
  readonly s3?: string;
  readonly tensors?: Readonly<Record<string, InlineTensor>>;
}

/**
 * Whether results also come inline. `auto` (the default) puts them into the execution's output when they are
 * small enough for a Step Functions payload; `never` leaves them in S3 alone.
 */
export type InlineMode = 'auto' | 'never';

/** Input of an execution of the pipeline's state machine. Unknown fields are refused. */
export interface ExecutionInput {
  readonly version: typeof CONTRACT_VERSION;
  readonly inputs: ExecutionInputs;
  readonly output?: { readonly inline?: InlineMode };
}

export interface ObjectReference {
  readonly bucket: string;
  readonly key: string;
}

/** Where the results are: always in S3, and also inline when they are small and the request allows it. */
export interface ExecutionOutputs {
  readonly s3: ObjectReference;
  readonly tensors?: Readonly<Record<string, InlineTensor>>;
}

/** Output of a successful execution. */
export interface ExecutionOutput {
  readonly version: typeof CONTRACT_VERSION;
  /** Identifies the model, code and settings that computed the result; see `SliceEvent.deploymentDigest`. */
  readonly deploymentDigest: string;
  readonly run: string;
  readonly outputs: ExecutionOutputs;
  readonly timings: readonly SliceTiming[];
}

/** Times in milliseconds of wall clock, sizes in bytes. */
export interface SliceTiming {
  readonly slice: number;
  /** When the function received the call, in milliseconds since 1970 by the function's own clock. */
  readonly startedAt: number;
  /** Whether this run loaded the weights and created the session, in this call or in its warm-up. */
  readonly cold: boolean;
  /** Whether a warm-up of this run loaded the slice while earlier slices ran. */
  readonly warmedUp: boolean;
  /** Size of the slice's files. */
  readonly weightBytes: number;
  /** Fetching the slice's files and creating the session; 0 when warm. */
  readonly loadMs: number;
  /** The part of reading tensors that did not overlap with loading. */
  readonly readMs: number;
  readonly runMs: number;
  readonly writeMs: number;
  /** Tensor bytes read from the request and from earlier slices. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Highest resident memory of the function's process so far. */
  readonly peakMemoryBytes: number;
}
