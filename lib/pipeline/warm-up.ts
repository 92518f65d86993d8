/** The choice of whether later slices load while the first one runs. */

/**
 * Whether a run starts by calling the functions of later slices to load their weights while the first slice runs. The
 * loads of a cold run then take the time of the slowest one instead of the sum of all. A function that is already warm
 * returns at once.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   warmUp: WarmUp.NEVER,
 * });
 */
export enum WarmUp {
  /**
   * Warms up if it is worth its price. Runs of an Express state machine always warm up. A Standard state machine
   * charges state transitions for each warm-up, so its runs warm up only if that saves a cold run two seconds of
   * loading or more. For a fragment the type of the pipeline's own state machine decides, not the type of the one that
   * contains it.
   */
  AUTOMATIC = 'automatic',
  /** Always. */
  ALWAYS = 'always',
  /** Never. In a cold run the functions load one after the other. */
  NEVER = 'never',
}
