/** A pipeline with your functions before and after the model: a drawing goes in, and a digit comes out. */
import * as path from 'node:path';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogLevel, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

export const app = new App();
const stack = new Stack(app, 'Handlers');

// The local cloud runs the functions on this machine, so the app takes its architecture.
const architecture = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

/** A function of `functions/`, with all that it imports in one file. */
function nodeFunction(id: string, file: string): NodejsFunction {
  return new NodejsFunction(stack, id, {
    entry: path.join(__dirname, 'functions', file),
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture,
    // With the SDK inside, the function does not depend on the version that Lambda has.
    bundling: { minify: true, externalModules: [], logLevel: LogLevel.ERROR },
  });
}
const readDrawing = nodeFunction('ReadDrawing', 'read-drawing.ts');
const nameDigit = nodeFunction('NameDigit', 'name-digit.ts');

const pipeline = new SlicedInferencePipeline(stack, 'Digits', {
  modelPath: path.join(__dirname, 'digits.onnx'),
  slicing: Slicing.count(2),
  dimensions: { batch: 1 },
  preprocess: readDrawing,
  postprocess: nameDigit,
  architecture,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});

// The construct grants your functions nothing. They use the bucket if tensors do not fit into a request or an output.
readDrawing.addEnvironment('SLICED_INFERENCE_BUCKET', pipeline.bucket.bucketName);
pipeline.grantWriteInputs(readDrawing);
pipeline.grantReadOutputs(nameDigit);

new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
