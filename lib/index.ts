/**
 * The construct, its props, dashboard and alarms, for CDK apps. Everything here is compatible with jsii.
 *
 * @module cdk-sliced-inference
 */
export type { SliceFunctionOptions } from './aws/slice-function-options';
export { Consolidation } from './pipeline/consolidation';
export { GraphOptimization } from './pipeline/graph-optimization';
export type { SlicedInferencePipelineProps } from './pipeline/pipeline-props';
export { SliceMetric } from './pipeline/slice-metric';
export { SlicedInferenceAlarms } from './monitoring/sliced-inference-alarms';
export type { SlicedInferenceAlarmsProps } from './monitoring/sliced-inference-alarms';
export { SlicedInferenceDashboard } from './monitoring/sliced-inference-dashboard';
export type { SlicedInferenceDashboardProps } from './monitoring/sliced-inference-dashboard';
export { SlicedInferencePipeline } from './pipeline/sliced-inference-pipeline';
export { SlicedModel } from './pipeline/sliced-model';
export { LatencyPercentile, Minimize, Temperature } from './pipeline/search-goals';
export { Slicing } from './pipeline/slicing';
export type { AutomaticSlicingOptions, SlicingEstimateOptions } from './pipeline/slicing-options';
export type { PipelinePlan, PipelineSlice, PlannedRun } from './pipeline/pipeline-plan';
export { TensorStore } from './pipeline/tensor-store';
export { WarmUp } from './pipeline/warm-up';
