/** Provides the sliced model of a pipeline and writes its plan into the cloud assembly. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Stage } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { PlanEstimates } from '../compile/plan-estimates';
import { stageModel } from '../compile/stage';
import { planText } from '../emit/write';
import type { SlicePlan } from '../plan/file/plan';
import { GraphOptimization } from './graph-optimization';
import { pipelineCosts, pipelineTransport } from './pipeline-costs';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { SlicedModel } from './sliced-model';
import { Slicing } from './slicing';

/** The sliced model of a pipeline. */
interface ModelOfPipeline {
  readonly model: SlicedModel;
  /** Absent if the model was cut before. */
  readonly planned?: {
    readonly estimates: PlanEstimates;
    /** Whether the search chose the number of slices. */
    readonly isAutomatic: boolean;
  };
  /** The whole model as one slice, with consolidation. */
  readonly whole?: SlicedModel;
}

/**
 * Returns `slicedModel` of the props, or cuts the model at `modelPath`.
 *
 * @throws SlicedInferenceError if the model cannot be read, or cannot be cut as `slicing` asks
 */
export function pipelineModel(
  props: SlicedInferencePipelineProps,
  settings: PipelineSettings,
): ModelOfPipeline {
  if (props.slicedModel !== undefined) return { model: props.slicedModel };
  const slicing = props.slicing ?? Slicing.automatic();
  const { profile, costs } = slicing._estimates();
  const transport = pipelineTransport(settings);
  const slicer = slicing._slicer({ transport });
  const staged = stageModel(props.modelPath ?? '', slicer, {
    dimensions: props.dimensions ?? {},
    optimization: props.graphOptimization ?? GraphOptimization.NONE,
    transport,
    consolidation: settings.consolidation,
    costs: { ...pipelineCosts(props, settings), ...costs },
    ...(profile && { profile }),
  });
  return {
    model: SlicedModel._fromStaged(staged),
    ...(staged.whole && { whole: SlicedModel._fromStaged(staged.whole) }),
    planned: { estimates: staged.estimates, isAutomatic: slicer.goal !== undefined },
  };
}

/**
 * Writes the plan into the cloud assembly, beside the assets. No deployed resource refers to it.
 *
 * @returns the path of the file
 */
export function writePlan(scope: Construct, plan: SlicePlan): string {
  // Every stack is in a stage: CDK creates an app for a stack without a scope.
  const folder = Stage.of(scope)?.assetOutdir ?? '';
  const text = planText(plan);
  // Plans with the same slices may differ in the memory of their functions.
  const digest = createHash('sha256').update(text).digest('hex');
  const file = path.join(folder, `plan-${digest}.json`);
  fs.writeFileSync(file, text);
  return file;
}
