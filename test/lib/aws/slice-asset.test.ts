/** The hash of a slice's asset is the digest of its bytes, not CDK's own fingerprint. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack, Stage } from 'aws-cdk-lib';
import { Slicing } from '../../../lib';
import { sliceFileAsset } from '../../../lib/aws/slice-asset';
import { stageModel } from '../../../lib/compile/stage';
import { count } from '../../../lib/plan/slicers';
import { FLOAT, mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { addPipeline, errorOf, newStack, shortTemplate } from '../../support/pipeline-stack';

const LAYERS = 4;
const WIDTH = 64;
/** Code that looks for zero bytes takes weights of this value for text. They are not valid UTF-8. */
const TEXT_LIKE = 0x80;

/** Saves a model whose weights differ from layer to layer. `change` may edit them. */
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
  readonly deploymentDigest: string;
}

/** Returns the assets of each slice, as the template names them. */
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
      deploymentDigest: String(Environment.Variables.SLICE_DEPLOYMENT_DIGEST),
      code: Code.S3Key,
    })),
  };
}

interface FunctionProperties {
  readonly Code: { readonly S3Key: string };
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

/** Returns `<hash>.<extension>` of an asset's URI. */
function fileOf(uri: unknown): string {
  return path.posix.basename((uri as { 'Fn::Sub': string })['Fn::Sub']);
}

const sha256 = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

const original = sliceAssets(modelWith());

test('a staged file has the digest in the environment of its function', () => {
  const { directory, slices } = original;
  for (const { model, modelSha256, weights, weightsSha256 } of slices) {
    expect(sha256(path.join(directory, `asset.${model}`))).toBe(modelSha256);
    expect(sha256(path.join(directory, `asset.${weights}`))).toBe(weightsSha256);
  }
});

test('no two slices share an asset', () => {
  const files = original.slices.flatMap(({ model, weights }) => [model, weights]);
  expect(new Set(files).size).toBe(2 * LAYERS);
});

test.each([
  ['the first byte', 0],
  ['a byte in the middle', 5_000],
  ['the last byte', WIDTH * WIDTH * 4 - 1],
])('a changed bit in %s of a weight changes the asset of its slice, and no other', (_, place) => {
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
  // A run must not mix models, so every function gets the new digest.
  expect(differing('deploymentDigest')).toEqual([0, 1, 2, 3]);
});

test('a staged file is a hard link to the file in the cache', () => {
  const modelPath = modelWith((weights) => weights[0].fill(1));
  const { directory, slices } = sliceAssets(modelPath);
  const staged = slices.map(({ weights }) => path.join(directory, `asset.${weights}`));
  // The other name is that of the file in the cache. Other slices may have the same bytes as those of earlier tests.
  expect(fs.statSync(staged[0]).nlink).toBe(2);
  stageModel(modelPath, count(LAYERS)).slices.forEach(({ weights = '' }, index) => {
    expect(path.basename(weights)).toBe(slices[index].weightsSha256);
  });
});

test('a slice that is missing from the cache is an error of one line', () => {
  const { plan, slices } = stageModel(modelWith(), count(LAYERS));
  const file = slices[0].model;
  // CDK writes an asset once, so use an output folder that does not have it yet.
  const stack = new Stack(new App({ outdir: temporaryFolder(), analyticsReporting: false }), 'Stack');
  fs.rmSync(file);
  expect(errorOf(() => sliceFileAsset(stack, 'Model', file, plan.slices[0].model))).toMatch(
    /slice file '.*' must be copied into the cloud assembly, got no such file or folder: free space on the disk if it is full, and synthesize again$/,
  );
});
