/** The choice of whether one function also has the whole model. */

/**
 * Whether the pipeline also has one function with the whole model. A run first asks this function. If it has loaded the
 * model, it serves the run, at the latency and the price of one function. Otherwise the slices serve the run, which load
 * several times faster, and beside them the function is told to load for later runs. The results are the same bits either
 * way. A function that fails, is throttled or does not answer never fails a run.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   slicing: Slicing.count(4),
 *   consolidation: Consolidation.ALWAYS,
 * });
 */
export enum Consolidation {
  /**
   * Consolidates if the whole model fits one function, of at most `maxMemorySize` of `Slicing.automatic` or 3,008 MB, and if
   * it takes at least two seconds longer to load than the slowest slice, by the model of cost. A model in one slice, a
   * `slicedModel` and a pipeline with `float16Transport` are never consolidated.
   */
  AUTOMATIC = 'automatic',
  /** Never. The slices serve all runs. */
  NEVER = 'never',
  /** Always, unless the model is one slice already. */
  ALWAYS = 'always',
}
