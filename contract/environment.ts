/** What the construct tells a slice function through its environment. */

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
  /** The bucket of tensors between slices; absent when it is the pipeline's bucket. */
  runsBucket: 'SLICE_RUNS_BUCKET',
  /** Digest of the deployment that this function belongs to; see `SliceEvent.deploymentDigest`. */
  deploymentDigest: 'SLICE_DEPLOYMENT_DIGEST',
  /** Threads of ONNX Runtime's intra-operator pool; the same for all slices of a plan. */
  threads: 'SLICE_THREADS',
  /** `float16` when float32 tensors between slices are sent as float16; otherwise absent. */
  transport: 'SLICE_TRANSPORT',
  /** Namespace of the metrics that each call writes to the log; absent when calls write none. */
  metricsNamespace: 'SLICE_METRICS_NAMESPACE',
} as const;

/** Namespace of a pipeline's own metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'SlicedInference';
