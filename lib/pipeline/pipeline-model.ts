/** Provides the sliced model of a pipeline and writes its plan into the cloud assembly. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { stageModel } from '../compile/stage';
import { planText } from '../emit/write';
import type { SlicePlan } from '../plan/file/plan';
import { GraphOptimization } from './graph-optimization';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import { SlicedModel } from './sliced-model';
import { Slicing } from './slicing';

/**
 * Returns `slicedModel` of the props, or cuts the model at `modelPath`.
 *
 * @throws SlicedInferenceError if the model cannot be read, or cannot be cut as `slicing` asks
 */
export function pipelineModel(props: SlicedInferencePipelineProps): SlicedModel {
  if (props.slicedModel !== undefined) return props.slicedModel;
  const slicing = props.slicing ?? Slicing.automatic();
  const staged = stageModel(props.modelPath ?? '', slicing._slicer(), {
    dimensions: props.dimensions ?? {},
    optimization: props.graphOptimization ?? GraphOptimization.NONE,
  });
  return SlicedModel._fromStaged(staged);
}

/**
 * Writes the plan into the cloud assembly, beside the assets. No deployed resource refers to it.
 *
 * @returns the path of the file
 */
export function writePlan(scope: Construct, plan: SlicePlan): string {
  // Every stack is in a stage: CDK creates an app for a stack without a scope.
  const folder = Stage.of(scope)?.assetOutdir ?? '';
  const file = path.join(folder, `plan-${plan.planDigest}.json`);
  fs.writeFileSync(file, planText(plan));
  return file;
}
