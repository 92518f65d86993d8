/** Environment variables of slice functions, which the construct sets, and the namespace of their metrics. */

/** Names of a slice function's environment variables. */
export const ENV = {
  /** The slice's index. The function reports it in failures even when it could not load the slice. */
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
  /** The pipeline's bucket: requests, results and, without `runsBucket`, the tensors between slices. */
  bucket: 'SLICE_BUCKET',
  /** Bucket of the tensors between slices; absent when they are in the pipeline's bucket. */
  runsBucket: 'SLICE_RUNS_BUCKET',
  /** Digest of the deployment that this function belongs to; see `SliceEvent.deploymentDigest`. */
  deploymentDigest: 'SLICE_DEPLOYMENT_DIGEST',
  /** Number of threads in ONNX Runtime's intra-operator pool, the same for all slices of a plan. */
  threads: 'SLICE_THREADS',
  /** `off` if ONNX Runtime does not rewrite weights for its kernels when a slice is loaded; absent if it does. */
  prepacking: 'SLICE_PREPACKING',
  /**
   * Key of the loader's claim in the pipeline's bucket: see `lambda/whole-model.ts`. Only the function of the whole
   * model has it.
   */
  loaderKey: 'SLICE_LOADER_KEY',
  /** `on` if callers invoke the function itself, and not only state machines: see `lambda/direct-call.ts`. Absent if not. */
  directCalls: 'SLICE_DIRECT_CALLS',
  /** Of a function that callers invoke: file and export of the user's function before the model, such as `preprocess/index.js#handler`. */
  preprocess: 'SLICE_PREPROCESS',
  /** The same after the model. */
  postprocess: 'SLICE_POSTPROCESS',
  /** ONNX Runtime's level when it loads the slice; absent if it optimizes nothing. */
  graphOptimization: 'SLICE_GRAPH_OPTIMIZATION',
  /** CloudWatch namespace of the metrics that each call writes to the log; absent when calls write no metrics. */
  metricsNamespace: 'SLICE_METRICS_NAMESPACE',
} as const;

/** CloudWatch namespace of the metrics that slice functions write. */
export const METRICS_NAMESPACE = 'SlicedInference';

/** The variable with the name of the bucket, of functions of the user before and after a model. */
export const HANDLER_BUCKET = 'SLICED_INFERENCE_BUCKET';
