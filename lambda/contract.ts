/**
 * What callers, the state machine and the slice functions agree on: events, environment variables, object
 * keys and error names. It is the only file that both `lib/` and `lambda/` import, and it imports nothing.
 */

/** Version of the execution input and output, of the slice events and of the slice manifest. */
export const CONTRACT_VERSION = 1;

/** Element types that can cross a cut: those that ONNX Runtime's JavaScript binding can feed and fetch. */
export const TENSOR_DATA_TYPES = [
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
] as const;

export type TensorDataType = (typeof TENSOR_DATA_TYPES)[number];

/** A dimension: a size, the name of a symbolic size, or `null` where nothing is known. */
export type Dimension = number | string | null;

/** What is known of a tensor before it exists. `shape` is `null` where even the rank is unknown. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: TensorDataType;
  readonly shape: readonly Dimension[] | null;
}

/** Where a slice reads a tensor: from the caller's request or from the object of an earlier slice. */
export type TensorSource = { readonly from: 'request' } | { readonly from: 'slice'; readonly slice: number };

export interface SourcedTensor extends TensorSpec {
  readonly source: TensorSource;
}

/**
 * What a slice function has to know of its slice. It travels inside `slice-NN.onnx`, as the JSON value of the
 * model's metadata property `MANIFEST_KEY`, so that a slice is described by the file that its digest covers.
 */
export interface SliceManifest {
  readonly version: typeof CONTRACT_VERSION;
  /** This slice's index, from 0. */
  readonly slice: number;
  /** Number of slices in the plan. */
  readonly slices: number;
  /** The inputs that the whole model requires from a request. */
  readonly request: readonly TensorSpec[];
  /** Inputs of the whole model that have a default and that a request cannot override. */
  readonly fixed: readonly string[];
  /** What this slice's session is fed. */
  readonly inputs: readonly SourcedTensor[];
  /** What this slice's session gives and its object holds. */
  readonly outputs: readonly TensorSpec[];
  /** Last slice only: the whole model's outputs, in its order, and where each of them was made. */
  readonly result?: readonly SourcedTensor[];
}

/** Key of the metadata property in `slice-NN.onnx` that holds the `SliceManifest`. */
export const MANIFEST_KEY = 'sliced_inference.slice';

/** Environment variables of a slice function. */
export const ENV = {
  /** The slice's index: failures name it even before the slice is loaded. */
  slice: 'SLICE_INDEX',
  /** `s3://bucket/key` of `slice-NN.onnx`. */
  modelUri: 'SLICE_MODEL_URI',
  /** Hexadecimal SHA-256 of `slice-NN.onnx`. */
  modelSha256: 'SLICE_MODEL_SHA256',
  /** `s3://bucket/key` of `slice-NN.weights`; absent when the slice has no external weights. */
  weightsUri: 'SLICE_WEIGHTS_URI',
  weightsSha256: 'SLICE_WEIGHTS_SHA256',
  /** File name by which `slice-NN.onnx` refers to its weights. */
  weightsFile: 'SLICE_WEIGHTS_FILE',
  /** The pipeline's bucket: requests, intermediate tensors and results. */
  bucket: 'SLICE_BUCKET',
  /** The bucket of tensors between slices; absent where that is the pipeline's. */
  runsBucket: 'SLICE_RUNS_BUCKET',
  /** Digest of the plan that this function belongs to. */
  planDigest: 'SLICE_PLAN_DIGEST',
  /** Threads of ONNX Runtime's intra-operator pool; the same for all slices of a plan. */
  threads: 'SLICE_THREADS',
  /** `float16` where float32 tensors between slices are sent as float16; absent where they are sent as they are. */
  transport: 'SLICE_TRANSPORT',
  /** Namespace of the metrics that calls leave in the log; absent where they are to leave none. */
  metricsNamespace: 'SLICE_METRICS_NAMESPACE',
} as const;

/** Namespace of a pipeline's own metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'SlicedInference';

/** What a task of the state machine sends to its slice function. */
export interface SliceEvent {
  readonly version: typeof CONTRACT_VERSION;
  readonly planDigest: string;
  /** Identifies the run: the last two segments of the execution's ARN joined by `/`. */
  readonly run: string;
  /** The execution's input, unchecked. Sent to the first and the last slice and to those that read inputs. */
  readonly request?: unknown;
  /** Only load the slice, for a call of this run that comes later. */
  readonly warmUp?: true;
}

/** What a slice function answers to a warm-up. */
export interface WarmUpAnswer {
  readonly slice: number;
  /** Whether this call loaded the weights and made the session. */
  readonly cold: boolean;
  /** 0 when warm. */
  readonly loadMs: number;
}

/** What a slice function answers. */
export interface SliceAnswer {
  readonly slice: number;
  /** The object that this slice wrote or found already written by an earlier attempt. */
  readonly object: ObjectReference;
  readonly timing: SliceTiming;
  /** Last slice only. */
  readonly outputs?: ExecutionOutputs;
}

export interface ObjectReference {
  readonly bucket: string;
  readonly key: string;
}

/** Times in milliseconds of wall clock, sizes in bytes. */
export interface SliceTiming {
  readonly slice: number;
  /** When the function got the call, in milliseconds since 1970 by its own clock. */
  readonly startedAt: number;
  /** Whether this run loaded the weights and made the session, in this call or in its warm-up. */
  readonly cold: boolean;
  /** Whether a warm-up of this run did so, while earlier slices ran. */
  readonly warmedUp: boolean;
  /** Size of the slice's files. */
  readonly weightBytes: number;
  /** Fetching the slice's files and creating the session; 0 when warm. */
  readonly loadMs: number;
  /** Reading tensors, where it took longer than loading, beside which it takes place. */
  readonly readMs: number;
  readonly runMs: number;
  readonly writeMs: number;
  /** Tensor bytes read from the request and from earlier slices. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Highest resident memory of the function's process so far. */
  readonly peakMemoryBytes: number;
}

/** A tensor as JSON: `base64` of its little-endian bytes, or `data` for people who type by hand. */
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

/** Input of an execution of the pipeline's state machine. Fields not named here are refused. */
export interface ExecutionInput {
  readonly version: typeof CONTRACT_VERSION;
  readonly inputs: ExecutionInputs;
  readonly output?: { readonly inline?: InlineMode };
}

/** Where the results are: always in S3, and inline when small and asked for. */
export interface ExecutionOutputs {
  readonly s3: ObjectReference;
  readonly tensors?: Readonly<Record<string, InlineTensor>>;
}

/** Output of a successful execution. */
export interface ExecutionOutput {
  readonly version: typeof CONTRACT_VERSION;
  readonly planDigest: string;
  readonly run: string;
  readonly outputs: ExecutionOutputs;
  readonly timings: readonly SliceTiming[];
}

/** Names under which a slice function and its execution fail. */
export const ERROR_NAMES = {
  /** The request does not fit the model or the contract. Not retried. */
  invalidInput: 'InvalidInput',
  /** A deployment replaced the model during the run. Start the execution again. */
  planChanged: 'PlanChanged',
  /** A slice's file does not have the digest that the plan gives. */
  weightsCorrupt: 'WeightsCorrupt',
  /** Anything else that went wrong inside a slice. */
  sliceFailed: 'SliceFailed',
} as const;

export type ErrorName = (typeof ERROR_NAMES)[keyof typeof ERROR_NAMES];

/** The JSON cause of a failed run. */
export interface FailureCause {
  /** The slice that failed; absent where a function of the user's own did. */
  readonly slice?: number;
  /** The function of the user's own that failed. */
  readonly step?: 'preprocess' | 'postprocess';
  readonly message: string;
  /** The tensor that the failure is about. */
  readonly tensor?: string;
  readonly expected?: string;
  readonly got?: string;
}

/** Prefixes and names of the objects in the pipeline's bucket. */
export const INPUTS_PREFIX = 'inputs/';
export const RUNS_PREFIX = 'runs/';
export const OUTPUTS_PREFIX = 'outputs/';

/** Two digits for up to 100 slices, more when needed: `slice-07`. */
export function sliceName(slice: number): string {
  return `slice-${String(slice).padStart(2, '0')}`;
}

/** Key of the object that holds what a slice made in a run. */
export function sliceObjectKey(run: string, slice: number): string {
  return `${RUNS_PREFIX}${run}/${sliceName(slice)}.safetensors`;
}

/** Key of the object that holds a run's results. */
export function outputObjectKey(run: string): string {
  return `${OUTPUTS_PREFIX}${run}.safetensors`;
}
