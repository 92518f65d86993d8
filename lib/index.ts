/** The public API: everything here is clean for jsii. */
export type { SliceFunctionOptions } from './aws/slice-function-options';
export { GraphOptimization } from './graph-optimization';
export type { SlicedInferencePipelineProps } from './pipeline-props';
export { SliceMetric } from './slice-metric';
export { SlicedInferenceAlarms } from './sliced-inference-alarms';
export type { SlicedInferenceAlarmsProps } from './sliced-inference-alarms';
export { SlicedInferenceDashboard } from './sliced-inference-dashboard';
export type { SlicedInferenceDashboardProps } from './sliced-inference-dashboard';
export { SlicedInferencePipeline } from './sliced-inference-pipeline';
export { SlicedModel } from './sliced-model';
export { Slicing } from './slicing';
export type { AutomaticSlicingOptions } from './slicing';
export { TensorStore } from './tensor-store';
export { WarmUp } from './warm-up';
