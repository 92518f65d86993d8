/** How far the whole model is optimized before it is cut: the public face of `optimize/level.ts`. */

/**
 * How far ONNX Runtime optimizes the whole model before it is cut. The slices run what it has made, and so compute
 * bit for bit what the whole model computes at the same level. Higher levels run faster and may change last bits
 * against lower ones.
 */
export enum GraphOptimization {
  /** The model as it is. */
  NONE = 'none',
  /** Constants folded, redundant nodes removed, simple fusions: `ORT_ENABLE_BASIC`. */
  BASIC = 'basic',
  /** Fusions into operators of ONNX Runtime besides: `ORT_ENABLE_EXTENDED`. What is fused depends on the processor. */
  EXTENDED = 'extended',
}
