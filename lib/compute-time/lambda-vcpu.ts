/**
 * How fast one thread on an x86_64 vCPU of Lambda runs ONNX Runtime's kernels.
 *
 * The reference is a virtual AMD EPYC with AVX2 and FMA, without AVX-512 and VNNI, on 2026-12-01, with ONNX Runtime 1.30.0 and no graph
 * optimization. Lambda's x86_64 processors are of that class, and a DistilBERT takes 31.5 ms there and 30.5 ms on Lambda
 * (LambdaNER-Bench, 2026-09). Its times are in `bench/times/lambda-class-x86.tsv`. Kernels that the table lacks were measured on a core that
 * takes 0.7 of the table's time, and scaled. `npm run bench:times` compares all of it.
 */

/** Floating-point or integer operations per second of kernels that multiply matrices. A multiply-add is two. */
export const PRODUCT_RATE = {
  float32: 90e9,
  float64: 41e9,
  /** ONNX Runtime converts to float32 and back: the conversions are separate nodes. */
  float16: 90e9,
  uint8: 142e9,
  /** uint8 activations, and int8 weights that do not saturate. */
  int8: 180e9,
  /** A signed left matrix: the activations of `MatMulInteger`, the weights of `ConvInteger`. There is no vectorized kernel for it. */
  signedLeft: 28e9,
  fourBits: 86e9,
} as const;

/** Convolutions, whose left matrix is the kernel's. */
export const CONVOLUTION_RATE = 84e9;

/** Convolutions of one channel at a time, which the processor cannot compute as a matrix product. */
export const DEPTHWISE_RATE = { dense: 7e9, strided: 3.6e9 } as const;

/** A kernel computes so many rows of a product at a time; fewer take as long. */
export const TILE_ROWS = { floats: 6, integers: 4 } as const;

/** Weights of a graph up to this size, and tensors of a node that move fewer bytes, stay in the caches from run to run. */
export const CACHE_BYTES = { weights: 32e6, tensors: 8e6 } as const;

/** Matrices up to this size are packed within a small cache. */
export const SMALL_MATRIX_BYTES = 4e6;

/** Bytes per second. */
export const BANDWIDTH = {
  /** Added for tensors that do not fit the caches. */
  memory: 45e9,
  /** Copying blocks: `Concat`, `Slice`, `Split`, `Pad`. */
  copy: 68e9,
  /** Reading the elements in another order. */
  gather: 23e9,
  /** Writing single elements in another order. */
  scatter: 5e9,
  /** Weights that a product reads, from the caches or from memory, prepacked or as they are. */
  weights: { cached: 42e9, memory: 19e9 },
  /** Packing the right matrix of a product, which happens in each run unless it is a weight that was prepacked. */
  packing: { small: 25e9, large: 13e9, memory: 12e9 },
  /** Weights of 4 bits. */
  fourBits: 17e9,
  /** Copying the windows of a convolution into a matrix. */
  windows: 12e9,
  stridedWindows: 6e9,
} as const;

/**
 * Bytes per second of writing the outputs of a session. Their memory is new in each run, so that the kernel of the system maps and clears
 * each page. A node's own time has this only if the node was measured as one that computes an output.
 */
export const OUTPUT_BANDWIDTH = 2.1e9;

/** Seconds from the end of a kernel to the beginning of the next. */
export const NODE_OVERHEAD = 0.7e-6;

/** Seconds that a convolution takes besides, to set up its windows. */
export const CONVOLUTION_OVERHEAD = 2e-6;

/** Seconds of each of several products of one node. */
export const PRODUCT_OVERHEAD = 0.3e-6;

/** Nanoseconds for each element that a kernel writes. */
export const ELEMENT_NS = {
  /** Additions, comparisons, `Relu`, `Cast`. */
  simple: 0.16,
  division: 0.29,
  /** Exponential functions with vector instructions: `Exp`, `Tanh`, `Sigmoid`; also `Sqrt`. */
  vectorized: 0.39,
  /** Choices, and several cheap functions: `Where`, `FastGelu`. */
  composed: 0.55,
  /** `Erf` and what contains it. */
  errorFunction: 0.88,
  /** Functions with a few vector instructions, such as `Log`, `Sin` and `Elu`. */
  slow: 2,
  /** Functions without vector instructions: `Softplus`, `Mod`. */
  scalar: 10,
  /** Text, each element of which is an object. */
  text: 85,
} as const;

/** Nanoseconds for each element that a kernel reads. */
export const INPUT_ELEMENT_NS = {
  reduction: 0.11,
  /** `ArgMax`, `ArgMin`. */
  search: 0.9,
  runningSum: 4.5,
  /** Windows that do not overlap, or little. */
  pooling: 0.27,
  /** Windows of each element. */
  densePooling: 0.85,
  globalPooling: 0.17,
  softmax: 0.43,
  normalization: 0.53,
  /** Without a mean. */
  simplifiedNormalization: 0.27,
  /** Of channels, whose rows are long. */
  channelNormalization: 0.31,
  /** `SkipLayerNormalization`, which has no vectorized kernel. */
  skipNormalization: 5,
  batchNormalization: 0.14,
  sorting: 2,
} as const;

/** Nanoseconds for each weight of few bits that a run turns into floats because it was not prepacked. */
export const DEQUANTIZATION_NS = 3;

/** The same of prepacked weights of 4 bits that are computed in float32: once for many rows. */
export const PACKED_DEQUANTIZATION_NS = 0.2;

/** Nanoseconds for each element of the windows that `ConvInteger` copies one by one, if they have one dimension. */
export const INTEGER_WINDOW_NS = 3;

/** Nanoseconds for each row of a softmax or a reduction. */
export const ROW_NS = 12;

/** Nanoseconds for each element that `Resize` writes: nearest elements take 0.2 to 0.5, interpolation 1.6. */
export const RESIZE_NS = 0.6;
