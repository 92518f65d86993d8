/** The hash of a slice's asset is the digest of its bytes, not CDK's own fingerprint. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Slicing } from '../../../lib';
import { sliceFileAsset } from '../../../lib/aws/slice-files';
import { stageModel } from '../../../lib/compile/stage';
import { count } from '../../../lib/plan/slicers';
import { FLOAT, mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { addPipeline, errorOf, newApp } from '../../support/pipeline-stack';

const LAYERS = 4;
const WIDTH = 64;
/** Code that looks for zero bytes takes weights of this value for text. They are not valid UTF-8. */
const TEXT_LIKE = 0x80;

/** Saves a model whose weights differ from layer to layer. `change` may edit them. */
function modelWith(change: (weights: readonly Uint8Array[]) => void = () => undefined): string {
  const { graph } = mlp(LAYERS, WIDTH);
  const weights = Array.from({ length: LAYERS }, (_, layer) =>
    new Uint8Array(WIDTH * WIDTH * 4).fill(TEXT_LIKE + layer),
  );
  change(weights);
  const initializer = (graph.initializer ?? []).map(({ name, dims, ...tensor }) =>
    name.startsWith('w')
      ? { name, dataType: FLOAT, dims, rawData: weights[Number(name.slice(1))] }
      : { name, dims, ...tensor },
  );
  return saveModel({ graph: { ...graph, initializer } });
}

interface SliceAssets {
  readonly code: string;
  readonly model: string;
  readonly weights: string;
  readonly modelSha256: string;
  readonly weightsSha256: string;
  readonly deploymentDigest: string;
}

/** The assets of each slice, as the template names them: `<hash>.<extension>`. */
function sliceAssets(modelPath: string): { slices: SliceAssets[]; directory: string } {
  const app = newApp();
  const stack = new Stack(app, 'Stack');
  addPipeline(stack, 'Pipeline', { modelPath, slicing: Slicing.count(LAYERS) });
  const assembly = app.synth();
  const { Resources } = assembly.getStackByName('Stack').template as {
    Resources: Record<string, { Type: string; Properties: FunctionProperties }>;
  };
  const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  const fileOf = (uri: unknown): string => path.posix.basename((uri as { 'Fn::Sub': string })['Fn::Sub']);
  return {
    directory: assembly.directory,
    slices: functions.map(
      ({
        Properties: {
          Code,
          Environment: { Variables: own },
        },
      }) => ({
        code: Code.S3Key,
        model: fileOf(own.SLICE_MODEL_URI),
        weights: fileOf(own.SLICE_WEIGHTS_URI),
        modelSha256: String(own.SLICE_MODEL_SHA256),
        weightsSha256: String(own.SLICE_WEIGHTS_SHA256),
        deploymentDigest: String(own.SLICE_DEPLOYMENT_DIGEST),
      }),
    ),
  };
}

interface FunctionProperties {
  readonly Code: { readonly S3Key: string };
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

const sha256 = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const original = sliceAssets(modelWith());

test('a staged file has the digest in the environment of its function, and no two slices share one', () => {
  const { directory, slices } = original;
  for (const { model, modelSha256, weights, weightsSha256 } of slices) {
    expect(sha256(path.join(directory, `asset.${model}`))).toBe(modelSha256);
    expect(sha256(path.join(directory, `asset.${weights}`))).toBe(weightsSha256);
  }
  expect(new Set(slices.flatMap(({ model, weights }) => [model, weights])).size).toBe(2 * LAYERS);
});

test.each([0, 5_000, WIDTH * WIDTH * 4 - 1])(
  'a changed bit in byte %d of a weight changes the asset of its slice, and no other',
  (place) => {
    const { slices } = sliceAssets(modelWith((weights) => (weights[2][place] ^= 1)));
    const differing = (field: keyof SliceAssets): number[] =>
      slices.flatMap((slice, index) => (slice[field] === original.slices[index][field] ? [] : [index]));
    expect([differing('weights'), differing('weightsSha256')]).toEqual([[2], [2]]);
    expect([differing('model'), differing('modelSha256'), differing('code')]).toEqual([[], [], []]);
    // A run must not mix models, so every function gets the new digest.
    expect(differing('deploymentDigest')).toEqual([0, 1, 2, 3]);
  },
);

test('a staged file is a hard link to the file in the cache', () => {
  const modelPath = modelWith((weights) => weights[0].fill(1));
  const { directory, slices } = sliceAssets(modelPath);
  // The other name is that of the file in the cache. Other slices may have the same bytes as those of earlier tests.
  expect(fs.statSync(path.join(directory, `asset.${slices[0].weights}`)).nlink).toBe(2);
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
    /slice file '.*' must be copied into the cloud assembly, got no such file or folder: free space on the disk .*$/,
  );
});
