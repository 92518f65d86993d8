/** The app that is deployed on AWS: small pipelines, of which each shows something else. */
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferencePipeline, Slicing, type SlicedInferencePipelineProps } from '../../lib';

/** Name of the output with the ARN of a stack's state machine. */
export const ARN_OUTPUT = 'StateMachineArn';

/** Name of the alias of each state machine. */
export const ALIAS = 'live';

/** Names of stacks. */
export const STACKS = {
  express: 'SlicedInferenceIntegExpress',
  standard: 'SlicedInferenceIntegStandard',
  /** The second slice may not write its tensors. */
  denied: 'SlicedInferenceIntegDenied',
} as const;

export interface IntegApp {
  readonly modelPath: string;
  /** Of the machine that compares, because the bits of results may depend on it. */
  readonly architecture: lambda.Architecture;
  readonly outdir: string;
}

export function buildApp({ modelPath, architecture, outdir }: IntegApp): { app: App; stacks: Stack[] } {
  const app = new App({
    analyticsReporting: false,
    treeMetadata: false,
    outdir,
  });
  const pipelineIn = (
    name: string,
    props: Partial<SlicedInferencePipelineProps> = {},
  ): SlicedInferencePipeline => {
    const stack = new Stack(app, name);
    const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', {
      modelPath,
      architecture,
      slicing: Slicing.count(3),
      dimensions: { batch: 1 },
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
      ...props,
    });
    new CfnOutput(stack, ARN_OUTPUT, { value: pipeline.stateMachine.stateMachineArn });
    addAlias(stack, pipeline);
    return pipeline;
  };
  const express = pipelineIn(STACKS.express, { tensorsInState: false });
  const standard = pipelineIn(STACKS.standard, { stateMachineType: sfn.StateMachineType.STANDARD });
  const denied = pipelineIn(STACKS.denied, { tensorsInState: false });
  denySecondSlice(denied);
  return { app, stacks: [express, standard, denied].map((pipeline) => Stack.of(pipeline)) };
}

function addAlias(stack: Stack, { stateMachine }: SlicedInferencePipeline): void {
  const { stateMachineArn, stateMachineRevisionId } = stateMachine;
  const version = new sfn.CfnStateMachineVersion(stack, 'Version', {
    stateMachineArn,
    stateMachineRevisionId,
  });
  new sfn.CfnStateMachineAlias(stack, 'Alias', {
    name: ALIAS,
    routingConfiguration: [{ stateMachineVersionArn: version.ref, weight: 100 }],
  });
}

function denySecondSlice(pipeline: SlicedInferencePipeline): void {
  pipeline.functions[1].role?.attachInlinePolicy(
    new iam.Policy(Stack.of(pipeline), 'DenyWrites', {
      statements: [
        new iam.PolicyStatement({
          effect: iam.Effect.DENY,
          actions: ['s3:PutObject'],
          resources: [pipeline.bucket.arnForObjects('runs/*')],
        }),
      ],
    }),
  );
}
