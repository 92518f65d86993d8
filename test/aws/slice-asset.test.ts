/** Assets are known by their bytes: the digest that the plan gives, never CDK's own fingerprint. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack, Stage } from 'aws-cdk-lib';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Slicing } from '../../lib';
import { sliceFileAsset } from '../../lib/aws/slice-asset';
import { compile } from '../../lib/compile';
import { count } from '../../lib/plan/slicers';
import { FLOAT, mlp, saveModel, temporaryFolder } from '../model-builder';
import { addPipeline, errorOf, newStack, shortTemplate } from './pipeline-stack';

const LAYERS = 4;
const WIDTH = 64;
/** Taken for text by whoever looks for zero bytes, and invalid as UTF-8. */
const TEXT_LIKE = 0x80;

/** Weights that differ from layer to layer; `change` may edit them. */
function modelWith(change: (weights: readonly Uint8Array[]) => void = () => undefined): string {
  const model = mlp(LAYERS, WIDTH);
  const weights = Array.from({ length: LAYERS }, (_, layer) =>
    new Uint8Array(WIDTH * WIDTH * 4).fill(TEXT_LIKE + layer),
  );
  change(weights);
  const initializer = (model.graph.initializer ?? []).map((tensor) =>
    tensor.name.startsWith('w')
      ? {
          name: tensor.name,
          dataType: FLOAT,
          dims: tensor.dims,
          rawData: weights[Number(tensor.name.slice(1))],
        }
      : tensor,
  );
  return saveModel({ ...model, graph: { ...model.graph, initializer } });
}

interface SliceAssets {
  readonly model: string;
  readonly weights: string;
  readonly modelSha256: string;
  readonly weightsSha256: string;
  readonly code: string;
  readonly planDigest: string;
}

/** What the template says of each slice's assets. */
function sliceAssets(modelPath: string): { slices: SliceAssets[]; directory: string } {
  const stack = newStack();
  addPipeline(stack, 'Pipeline', { modelPath, slicing: Slicing.count(LAYERS) });
  const { Resources } = shortTemplate(stack).template.toJSON() as {
    Resources: Record<string, { Type: string; Properties: FunctionProperties }>;
  };
  const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  return {
    directory: (Stage.of(stack) ?? new App()).synth().directory,
    slices: functions.map(({ Properties: { Code, Environment } }) => ({
      model: fileOf(Environment.Variables.SLICE_MODEL_URI),
      weights: fileOf(Environment.Variables.SLICE_WEIGHTS_URI),
      modelSha256: String(Environment.Variables.SLICE_MODEL_SHA256),
      weightsSha256: String(Environment.Variables.SLICE_WEIGHTS_SHA256),
      planDigest: String(Environment.Variables.SLICE_PLAN_DIGEST),
      code: Code.S3Key,
    })),
  };
}

interface FunctionProperties {
  readonly Code: { readonly S3Key: string };
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

/** `<hash>.<extension>` of an asset's URI. */
function fileOf(uri: unknown): string {
  return path.posix.basename((uri as { 'Fn::Sub': string })['Fn::Sub']);
}

const sha256 = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

const original = sliceAssets(modelWith());

test('a staged file has the digest that its function is told', () => {
  const { directory, slices } = original;
  for (const { model, modelSha256, weights, weightsSha256 } of slices) {
    expect(sha256(path.join(directory, `asset.${model}`))).toBe(modelSha256);
    expect(sha256(path.join(directory, `asset.${weights}`))).toBe(weightsSha256);
  }
});

test('each slice has assets of its own, under keys of their own', () => {
  const files = original.slices.flatMap(({ model, weights }) => [model, weights]);
  expect(new Set(files).size).toBe(2 * LAYERS);
});

test.each([
  ['its first byte', 0],
  ['a byte in its midst', 5_000],
  ['its last byte', WIDTH * WIDTH * 4 - 1],
])('one bit of a weight in %s changes the asset of its slice, and no other', (_, place) => {
  const changed = sliceAssets(
    modelWith((weights) => {
      weights[2][place] ^= 1;
    }),
  );
  const differing = (field: keyof SliceAssets): number[] =>
    changed.slices.flatMap((slice, index) => (slice[field] === original.slices[index][field] ? [] : [index]));
  expect(differing('weights')).toEqual([2]);
  expect(differing('weightsSha256')).toEqual([2]);
  expect(differing('model')).toEqual([]);
  expect(differing('modelSha256')).toEqual([]);
  expect(differing('code')).toEqual([]);
  // One model per run: every function belongs to the new plan.
  expect(differing('planDigest')).toEqual([0, 1, 2, 3]);
});

test('a model that changes after it was planned is refused when its slices are written', () => {
  const modelPath = modelWith();
  const { files, slices, plan } = compile(modelPath, count(LAYERS));
  const planned = plan.slices[1].weights;
  if (planned === undefined) throw new Error('slice 1 has no weights');
  // A folder that does not have the slice yet: CDK writes an asset once.
  const outdir = temporaryFolder();
  const stage = (): Asset => {
    const stack = new Stack(new App({ outdir, analyticsReporting: false }), 'Stack');
    return sliceFileAsset(stack, 'Weights', files, slices[1].weights, planned);
  };
  const content = fs.readFileSync(modelPath);
  const changed = Buffer.from(content);
  changed[changed.indexOf(Buffer.alloc(64, TEXT_LIKE + 1))] ^= 1;
  fs.writeFileSync(modelPath, changed);
  const message =
    `SlicedInferenceError: '${modelPath}' must stay as it is while it is sliced, ` +
    'got other bytes in slice-01.weights than a moment ago: start again when nothing writes to it any more';
  expect(errorOf(stage).slice(-message.length)).toBe(message);

  // Nothing of the failed attempt is left that the next one would take for its own.
  fs.writeFileSync(modelPath, content);
  expect(sha256(path.join(outdir, stage().assetPath))).toBe(planned.sha256);
});
