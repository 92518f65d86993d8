/** The level at which ONNX Runtime optimizes the whole model before the model is cut. */
export type OptimizationLevel = 'none' | 'basic' | 'extended';

export const OPTIMIZATION_LEVELS: readonly OptimizationLevel[] = ['none', 'basic', 'extended'];

/** ONNX Runtime's names of the levels. */
export const ORT_LEVELS = { none: 'disabled', basic: 'basic', extended: 'extended' } as const;
