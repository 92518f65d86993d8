/** A stack with a large model. `npx cdk synth --context slices=4` cuts into four slices, by default into as few as fit. */
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const app = new App();
const slices: unknown = app.node.tryGetContext('slices');
const stack = new Stack(app, 'LargeTransformer');
const pipeline = new SlicedInferencePipeline(stack, 'Transformer', {
  modelPath: 'model.onnx',
  slicing: slices === undefined ? Slicing.automatic() : Slicing.count(Number(slices)),
  dimensions: { sequence: 128 },
  // A cold run of gigabytes may take longer than the five minutes of an Express run.
  stateMachineType: StateMachineType.STANDARD,
  // The local cloud runs the functions on this machine, so the app takes its architecture.
  architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});
new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
