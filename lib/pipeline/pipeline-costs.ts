/** The choices of a pipeline's props that decide what its runs cost. */
import type { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Transport } from '../cost/chain';
import type { CostOptions } from '../cost/options';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { WarmUp } from './warm-up';

/** With `WarmUp.AUTOMATIC`, a Standard pipeline warms up or not by the plan, which is not known yet. */
export function pipelineCosts(
  { vpc, intermediateRetention }: SlicedInferencePipelineProps,
  { stateMachineType, architecture, warmUp, tensorsInState }: PipelineSettings,
): CostOptions {
  const retentionDays = knownDays(intermediateRetention);
  return {
    stateMachineType: stateMachineType === sfn.StateMachineType.STANDARD ? 'standard' : 'express',
    architecture: architecture.name === lambda.Architecture.ARM_64.name ? 'arm64' : 'x86_64',
    ...(warmUp !== WarmUp.AUTOMATIC && { warmUp: warmUp === WarmUp.ALWAYS }),
    networkInVpc: vpc !== undefined,
    tensorsInState,
    ...(retentionDays !== undefined && { intermediateRetentionDays: retentionDays }),
  };
}

/** Where slices write the tensors that later slices read. */
export function pipelineTransport({ expressZone }: PipelineSettings): Transport {
  return expressZone === undefined ? 's3-standard' : 's3-express';
}

function knownDays(retention: Duration | undefined): number | undefined {
  return retention === undefined || retention.isUnresolved() ? undefined : retention.toDays();
}
