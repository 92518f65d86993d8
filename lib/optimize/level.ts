/** How far ONNX Runtime optimizes the whole model before it is cut. */
export type OptimizationLevel = 'none' | 'basic' | 'extended';

export const OPTIMIZATION_LEVELS: readonly OptimizationLevel[] = ['none', 'basic', 'extended'];

/** What ONNX Runtime calls the levels. */
export const ORT_LEVELS = { none: 'disabled', basic: 'basic', extended: 'extended' } as const;
