/** The public API: everything here is clean for jsii. */
export type { SliceFunctionOptions } from './aws/slice-function';
export { GraphOptimization } from './graph-optimization';
export type { SlicedInferencePipelineProps } from './pipeline-props';
export { SlicedInferencePipeline } from './sliced-inference-pipeline';
export { SlicedModel } from './sliced-model';
export { Slicing } from './slicing';
export type { AutomaticSlicingOptions } from './slicing';
