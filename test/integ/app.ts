/** The app that is deployed on AWS: small pipelines, of which each shows something else. */
import * as path from 'node:path';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { SlicedInferencePipeline, Slicing, type SlicedInferencePipelineProps } from '../../lib';

/** Name of the output with the ARN of a stack's state machine. */
export const ARN_OUTPUT = 'StateMachineArn';

/** Name of the alias of each state machine. */
export const ALIAS = 'live';

/** Names of stacks. */
export const STACKS = {
  express: 'SlicedInferenceIntegExpress',
  standard: 'SlicedInferenceIntegStandard',
} as const;

/** Synthesizes the app into a folder beside the model. */
export function synthesize(modelPath: string): CloudAssembly {
  const outdir = path.join(path.dirname(modelPath), 'cdk.out');
  const app = new App({ analyticsReporting: false, treeMetadata: false, outdir });
  const props = {
    modelPath,
    // Of the machine that compares, because the bits of results may depend on it.
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    ...{ slicing: Slicing.count(3), dimensions: { batch: 1 } },
    ...{ removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true },
  };
  const { STANDARD } = sfn.StateMachineType;
  addPipeline(new Stack(app, STACKS.express), { ...props, tensorsInState: false });
  addPipeline(new Stack(app, STACKS.standard), { ...props, stateMachineType: STANDARD });
  return app.synth();
}

/** Adds a pipeline and an alias of its state machine. */
function addPipeline(stack: Stack, props: SlicedInferencePipelineProps): void {
  const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', props);
  const { stateMachineArn, stateMachineRevisionId } = pipeline.stateMachine;
  new CfnOutput(stack, ARN_OUTPUT, { value: stateMachineArn });
  const version = new sfn.CfnStateMachineVersion(stack, 'Version', {
    stateMachineArn,
    stateMachineRevisionId,
  });
  new sfn.CfnStateMachineAlias(stack, 'Alias', {
    name: ALIAS,
    routingConfiguration: [{ stateMachineVersionArn: version.ref, weight: 100 }],
  });
}
