/** How far ONNX Runtime optimises the whole model before it is cut. */
export type OptimisationLevel = 'none' | 'basic' | 'extended';

export const OPTIMISATION_LEVELS: readonly OptimisationLevel[] = ['none', 'basic', 'extended'];

/** What ONNX Runtime calls the levels. */
export const ORT_LEVELS = { none: 'disabled', basic: 'basic', extended: 'extended' } as const;
