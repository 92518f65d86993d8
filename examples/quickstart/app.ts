import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const app = new App();
const stack = new Stack(app, 'Quickstart');
const pipeline = new SlicedInferencePipeline(stack, 'Classifier', {
  modelPath: 'model.onnx',
  slicing: Slicing.count(3), // leave it out for a large model: then the fewest slices that fit are cut
  dimensions: { batch: 1 }, // sizes of your requests, by the names that `inspect` prints
  // The local cloud runs the functions on this machine, so they must have its architecture.
  architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
  // `cdk destroy` deletes the bucket of results too, with all that is in it.
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});
new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
new CfnOutput(stack, 'Bucket', { value: pipeline.bucket.bucketName });
