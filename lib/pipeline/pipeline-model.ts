/** Provides the sliced model of a pipeline and writes its plan into the cloud assembly. */
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Duration, Stage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { PlanEstimates } from '../compile/plan-estimates';
import { stageModel } from '../compile/stage';
import type { Transport } from '../cost/chain';
import type { CostOptions } from '../cost/options';
import { planText } from '../emit/write';
import { SlicedInferenceError } from '../errors';
import type { SlicePlan } from '../plan/file/plan';
import { GraphOptimization, Prepacking, WarmUp } from './choices';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { SlicedModel } from './sliced-model';
import { Slicing } from './slicing';

interface ModelOfPipeline {
  readonly model: SlicedModel;
  readonly planned?: {
    readonly estimates: PlanEstimates;
    readonly isAutomatic: boolean;
  };
  readonly whole?: SlicedModel;
}

export function pipelineModel(
  props: SlicedInferencePipelineProps,
  settings: PipelineSettings,
): ModelOfPipeline {
  if (props.slicedModel !== undefined) return { model: props.slicedModel };
  const slicing = props.slicing ?? Slicing.automatic();
  const { costs, splits } = slicing._estimates();
  const transport = transportOf(settings);
  const slicer = slicing._slicer(transport);
  const staged = stageModel(props.modelPath ?? '', slicer, {
    dimensions: props.dimensions ?? {},
    optimization: levelOf(props),
    transport,
    consolidation: settings.consolidation,
    splits,
    costs: { ...costOptions(props, settings), ...costs },
  });
  return {
    model: SlicedModel._fromStaged(staged),
    ...(staged.whole && { whole: SlicedModel._fromStaged(staged.whole) }),
    planned: { estimates: staged.estimates, isAutomatic: slicer.goal !== undefined },
  };
}

function levelOf({ graphOptimization = GraphOptimization.NONE }: SlicedInferencePipelineProps) {
  if (graphOptimization !== GraphOptimization.ALL) return graphOptimization;
  throw new SlicedInferenceError(
    'graphOptimization of a pipeline must be NONE, BASIC or EXTENDED',
    'ALL, whose optimizations do not stop at cuts',
    'choose one of these, or use an InferenceFunction',
  );
}

/**
 * What decides the cost of runs besides the slices. With `WarmUp.AUTOMATIC`, a Standard pipeline warms up or not by the plan, which is
 * not known yet.
 */
export function costOptions(
  { vpc, intermediateRetention, outputRetention }: SlicedInferencePipelineProps,
  { stateMachineType, architecture, warmUp, prepacking, tensorsInState }: PipelineSettings,
): CostOptions {
  const [intermediateDays, outputDays] = [intermediateRetention, outputRetention].map(knownDays);
  return {
    stateMachineType: stateMachineType === sfn.StateMachineType.STANDARD ? 'standard' : 'express',
    architecture: architecture.name === lambda.Architecture.ARM_64.name ? 'arm64' : 'x86_64',
    ...(prepacking !== Prepacking.AUTOMATIC && { prepacking: prepacking === Prepacking.ALWAYS }),
    ...(warmUp !== WarmUp.AUTOMATIC && { warmUp: warmUp === WarmUp.ALWAYS }),
    networkInVpc: vpc !== undefined,
    tensorsInState,
    ...(intermediateDays !== undefined && { intermediateRetentionDays: intermediateDays }),
    ...(outputDays !== undefined && { outputRetentionDays: outputDays }),
  };
}

function knownDays(retention: Duration | undefined): number | undefined {
  return retention === undefined || retention.isUnresolved() ? undefined : retention.toDays();
}

export function transportOf({ expressZone }: PipelineSettings): Transport {
  return expressZone === undefined ? 's3-standard' : 's3-express';
}

export function writePlan(scope: Construct, plan: SlicePlan): string {
  // Every stack is in a stage: CDK creates an app for a stack without a scope.
  const folder = Stage.of(scope)?.assetOutdir ?? '';
  const text = planText(plan);
  // Plans with the same slices may differ in the memory of their functions.
  const digest = hash('sha256', text);
  const file = path.join(folder, `plan-${digest}.json`);
  fs.writeFileSync(file, text);
  return file;
}
