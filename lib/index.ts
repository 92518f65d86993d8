/** The public API: everything here is clean for jsii. */
export type { SliceFunctionOptions } from './aws/slice-function';
export { SlicedInferencePipeline } from './sliced-inference-pipeline';
export type { SlicedInferencePipelineProps } from './sliced-inference-pipeline';
export { Slicing } from './slicing';
export type { AutomaticSlicingOptions } from './slicing';
