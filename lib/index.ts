/**
 * The construct, its props, dashboard and alarms, for CDK apps. Everything here is compatible with jsii.
 *
 * @module cdk-sliced-inference
 */
export type { SliceFunctionOptions } from './aws/slice-function-options';
export {
  Consolidation,
  GraphOptimization,
  LatencyPercentile,
  Minimize,
  Temperature,
  TensorStore,
  Prepacking,
  WarmUp,
} from './pipeline/choices';
export { DeployedModel } from './pipeline/deployed-model';
export { InferenceFunction } from './function/inference-function';
export type { InferenceFunctionProps } from './function/inference-function-props';
export { InferenceHandler } from './function/inference-handler';
export type { InferenceProps } from './pipeline/inference-props';
export type { SlicedInferencePipelineProps } from './pipeline/pipeline-props';
export { SliceMetric } from './pipeline/pipeline-metrics';
export { SlicedInferenceAlarms, type SlicedInferenceAlarmsProps } from './monitoring/sliced-inference-alarms';
export {
  SlicedInferenceDashboard,
  type SlicedInferenceDashboardProps,
} from './monitoring/sliced-inference-dashboard';
export { BatchItems } from './batch/batch-items';
export type { SlicedInferenceBatchProps } from './batch/batch-props';
export { SlicedInferenceBatch } from './batch/sliced-inference-batch';
export { SlicedInferencePipeline } from './pipeline/sliced-inference-pipeline';
export { SlicedModel } from './pipeline/sliced-model';
export { Slicing } from './pipeline/slicing';
export type { AutomaticSlicingOptions, SlicingEstimateOptions } from './pipeline/slicing-options';
export type { PipelinePlan, PipelineSlice, PlannedRun } from './pipeline/pipeline-plan';
