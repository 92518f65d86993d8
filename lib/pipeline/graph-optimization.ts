/** The public API of the optimization levels in `optimize/level.ts`. */

/**
 * How far ONNX Runtime optimizes the whole model before it is cut. The slices run parts of the optimized model, so
 * their results are bit for bit those of the whole model at the same level. Higher levels run faster; their results may
 * differ from those of lower levels in the last bits.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   graphOptimization: GraphOptimization.BASIC,
 * });
 */
export enum GraphOptimization {
  /** Leaves the model as it is. */
  NONE = 'none',
  /** Folds constants, removes redundant nodes and fuses simple patterns: `ORT_ENABLE_BASIC`. */
  BASIC = 'basic',
  /**
   * Also fuses nodes into ONNX Runtime's own operators: `ORT_ENABLE_EXTENDED`. Which nodes it fuses depends on the
   * processor of the machine that synthesizes.
   */
  EXTENDED = 'extended',
}
