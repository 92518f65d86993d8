/**
 * How fast one thread of the reference processor runs ONNX Runtime's kernels. The analytic model counts in seconds of this
 * processor; the model of cost scales them to one vCPU of Lambda.
 *
 * The reference is a virtual machine with an AMD EPYC of family 26 (Zen 5) with AVX-512, 2 vCPUs, on 2026-11-26, with
 * onnxruntime-node 1.30.0, Node.js 20, one thread and no graph optimization. The rates are fitted to profiles of
 * an OCR detector and recognizer, a transformer, two chains of convolutions, an int8 encoder and a style transfer, and to single
 * operators.
 */

/** Speed of a product of two float32 matrices of 512 x 512, in FLOP/s; a profile has the same figure of its machine. */
export const REFERENCE_FLOPS = 170e9;

/** Floating-point or integer operations per second of kernels that multiply matrices. A multiply-add is two. */
export const PRODUCT_RATE = {
  /** Products of 64 rows and more reach this rate within the caches. */
  float32: 205e9,
  float64: 70e9,
  /** ONNX Runtime converts to float32 and back: the conversions are separate nodes. */
  float16: 205e9,
  int8: 900e9,
} as const;

/** Convolutions of one channel at a time, which the processor cannot compute as a matrix product. */
export const DEPTHWISE_RATE = { dense: 20e9, strided: 7e9 } as const;

/** Kernels compute this many rows and columns of a product at a time, so fewer take as long. */
export const PRODUCT_TILE = { rows: 12, columns: 16 } as const;

/** Bytes per second. */
export const BANDWIDTH = {
  /** Reading inputs and writing outputs of elementwise kernels. */
  elementwise: 55e9,
  /** Copying blocks: `Concat`, `Slice`, `Split`, `Pad`. */
  copy: 40e9,
  /** Reading the elements in another order: `Transpose`. */
  gather: 35e9,
  /** Packing the right matrix of a product, which happens in each run unless it is a weight that was prepacked. */
  packing: 40e9,
  /** A product with one row, which reads each weight once: in the order of the model, or prepacked. */
  weights: 60e9,
  packedWeights: 85e9,
  /** Copying the windows of a convolution into a matrix. */
  windows: 32e9,
  stridedWindows: 3.5e9,
} as const;

/**
 * Bytes per second of writing the outputs of a session. Their memory is new in each run, so that the kernel of the system maps and clears
 * each page. A node's own time has this only if the node was measured as one that computes an output.
 */
export const OUTPUT_BANDWIDTH = 3e9;

/** Seconds from the end of a kernel to the beginning of the next. */
export const NODE_OVERHEAD = 0.5e-6;

/** Seconds that a convolution takes besides, to set up its windows. */
export const CONVOLUTION_OVERHEAD = 1.5e-6;

/** Nanoseconds for each element beyond the time to read and write it. */
export const ELEMENT_NS = {
  /** Additions, comparisons, `Relu`, `Cast`. */
  simple: 0.13,
  division: 0.22,
  /** Exponential functions with vector instructions: `Exp`, `Tanh`, `Sigmoid`, `Erf`. */
  vectorized: 0.27,
  /** Several of these: `Gelu`. */
  composed: 0.45,
  /** Functions with a few vector instructions, such as `Log`, `Sin` and `Elu`. */
  slow: 1.4,
  /** Functions without vector instructions: `Softplus`, `Mod`. */
  scalar: 8,
  /** Text, each element of which is an object. */
  text: 60,
} as const;

/** Nanoseconds for each element that a kernel reads. */
export const INPUT_ELEMENT_NS = {
  reduction: 0.15,
  pooling: 0.3,
  softmax: 0.26,
  normalization: 0.47,
  batchNormalization: 0.22,
  sorting: 2,
} as const;

/** Nanoseconds for each weight of few bits that a run turns into floats because it was not prepacked. */
export const DEQUANTIZATION_NS = 3;

/** Nanoseconds for each row of a softmax or a reduction. */
export const ROW_NS = 10;

/** Nanoseconds for each element that `Resize` writes; interpolation reads four elements for one. */
export const RESIZE_NS = 0.7;
