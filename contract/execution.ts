/** Input and output of the state machine's executions. */
import type { TensorDataType } from './tensors';
import type { CONTRACT_VERSION } from './version';

/**
 * Largest JSON of inline results, in bytes. Step Functions passes at most 256 KiB between states, and the timings of all
 * slices and the data of the caller's own states must fit too. More fails the execution, and no state can catch that.
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
export const MAX_INLINE_RESULT_BYTES = 180 * 1024;

/** A tensor as JSON. It has exactly one of `base64` and `data`. */
export interface InlineTensor {
  /** The element type. */
  readonly dtype: TensorDataType;
  /** Sizes; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** The elements as base64 of their row-major, little-endian bytes. Not for strings. */
  readonly base64?: string;
  /** The elements in row-major order as JSON values: for strings, and for requests typed by hand. */
  readonly data?: readonly (number | string | boolean)[];
}

/** The request's tensors. Exactly one of `s3` and `tensors` is set. */
export interface ExecutionInputs {
  /** Key of a safetensors object below `inputs/` in the pipeline's bucket. */
  readonly s3?: string;
  /**
   * The ETag that the object must have: the execution fails if another one has replaced it.
   * @default - any object will do
   */
  readonly etag?: string;
  /** Inline tensors by name. */
  readonly tensors?: Readonly<Record<string, InlineTensor>>;
}

/**
 * Whether the execution's output contains the results inline. `auto` (the default): if they are small enough for a
 * Step Functions payload. `never`: the results are only in S3. `only`: they are not in S3, and the execution fails if they are too
 * large for its output.
 */
export type InlineMode = 'auto' | 'never' | 'only';

/** Input of an execution of the pipeline's state machine. The execution fails if there are unknown fields. */
export interface ExecutionInput {
  /** The version of the contract: 1. */
  readonly version: typeof CONTRACT_VERSION;
  /** The tensors. */
  readonly inputs: ExecutionInputs;
  /** Where the results are. By default, small ones also come inside the output. */
  readonly output?: {
    /**
     * Whether results also come inside the output.
     * @default 'auto'
     */
    readonly inline?: InlineMode;
  };
}

/** An object in S3. */
export interface ObjectReference {
  /** Name of its bucket. */
  readonly bucket: string;
  /** Its key. */
  readonly key: string;
}

/** The results: in S3, and also inline if they are small and the request allows it. */
export interface ExecutionOutputs {
  /** Absent only if the request asked for inline results only. */
  readonly s3?: ObjectReference;
  /** Of an item of a batch: its number in the object, whose tensors are named `<entry>/<tensor>`. */
  readonly entry?: number;
  /** Inline tensors by name; absent if the results are too large or the request does not allow them. */
  readonly tensors?: Readonly<Record<string, InlineTensor>>;
}

/** Output of a successful execution. */
export interface ExecutionOutput {
  /** The version of the contract: 1. */
  readonly version: typeof CONTRACT_VERSION;
  /** Identifies the model, code and settings that computed the result; see `SliceEvent.deploymentDigest`. */
  readonly deploymentDigest: string;
  /** Identifies the run; a part of the key of its results. */
  readonly run: string;
  /** The results. */
  readonly outputs: ExecutionOutputs;
  /** Only of a pipeline with consolidation: whether the function of the whole model served the run, or the slices did. */
  readonly servedBy?: ServedBy;
  /** By slice; of a run that the whole model served, one `WholeTiming`. */
  readonly timings: readonly CallTiming[];
}

/** `whole`: the function of the whole model served the run. `slices`: the slices did. */
export type ServedBy = 'whole' | 'slices';

/** Measurements of the call that ran a slice or the whole model. */
export type CallTiming = SliceTiming | WholeTiming;

/** Measurements of the call of one slice. */
export interface SliceTiming extends MeasuredCall {
  /** Index of the slice, from 0 on. */
  readonly slice: number;
  /** Absent, because a slice ran. */
  readonly whole?: undefined;
}

/** Measurements of the call of the function of the whole model. */
export interface WholeTiming extends MeasuredCall {
  /** Set, because the whole model ran. */
  readonly whole: true;
  /** Absent, because the whole model ran. */
  readonly slice?: undefined;
}

/** Times are wall-clock milliseconds, sizes are bytes. */
export interface MeasuredCall {
  /** When the function received the call, in milliseconds since the Unix epoch by the function's own clock. */
  readonly startedAt: number;
  /** Whether this run loaded the weights and created the session, in this call or in its warm-up. */
  readonly cold: boolean;
  /** Whether a warm-up of this run loaded the slice while earlier slices ran. */
  readonly warmedUp: boolean;
  /** Size of the slice's model and weights files. */
  readonly weightBytes: number;
  /** Time to fetch the slice's files and create the session; 0 if the slice was loaded already. */
  readonly loadMs: number;
  /** Time to read tensors, without the part that overlapped with loading. */
  readonly readMs: number;
  /** Time of ONNX Runtime's run. */
  readonly runMs: number;
  /** Time to write tensors, until S3 has confirmed them. */
  readonly writeMs: number;
  /** Tensor bytes read from the request and from earlier slices. */
  readonly bytesRead: number;
  /** Bytes written to S3 by this call: 0 if the tensors travel in the state, or if an earlier attempt wrote them. */
  readonly bytesWritten: number;
  /** Peak resident memory of the function's process so far. */
  readonly peakMemoryBytes: number;
  /** Memory size of the function, in Lambda's MB of 2^20 bytes. */
  readonly memoryMb: number;
  /**
   * The class of the function's processor, such as `x86_64 AVX2`. Processors of one class compute the same bits. Absent if the
   * pipeline is of an earlier version of this package.
   */
  readonly processor?: string;
}
