/** ONNX models of a few nodes, and the two slices of a small plan. */
import { createHash } from 'node:crypto';
import { ENV } from '../../contract/environment';
import { MANIFEST_KEY, type SliceManifest, type SourcedTensor } from '../../contract/slice-manifest';
import type { TensorSpec } from '../../contract/tensors';
import { onnxDataType } from '../../lib/onnx/data-type';
import { nodesOf } from './graph-text';
import type { MemoryObjects } from './memory-objects';
import { type NodeInit, encodeModel as encode, external, value } from './model-builder';

export interface TinyModel {
  readonly nodes: readonly NodeInit[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** So many floats in a file beside the model. */
  readonly weights?: { readonly name: string; readonly count: number; readonly file: string };
  readonly metadata?: Readonly<Record<string, string>>;
}

export function encodeModel(model: TinyModel): Uint8Array {
  const { nodes, inputs, outputs, weights, metadata = {} } = model;
  return encode({
    irVersion: 8,
    graph: {
      node: nodes,
      initializer: weights === undefined ? [] : [initializerOf(weights)],
      input: inputs.map(valueOf),
      output: outputs.map(valueOf),
    },
    metadataProps: Object.entries(metadata).map(([key, text]) => ({ key, value: text })),
  });
}

function initializerOf({ name, count, file }: NonNullable<TinyModel['weights']>) {
  return external(name, [count], { location: file, offset: '0', length: String(count * 4) });
}

function valueOf({ name, dtype, shape }: TensorSpec): object {
  const dims = shape?.map((size) => size ?? 'unknown');
  return value(name, onnxDataType(dtype), dims);
}

export function float32Bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export const DEPLOYMENT_DIGEST = 'a1b2c3';
export const BUCKET = 'pipeline';
const WEIGHTS_FILE = 'slice-00.weights';
const SHIFT = [10, 20, 30];

const [x, scale, early, late] = ['x', 'scale', 'early', 'late'].map((name): TensorSpec => ({
  ...{ name, dtype: 'float32', shape: ['N', 3] },
}));
const shifted: TensorSpec = { name: 'shifted', dtype: 'float32', shape: null };

export const fromRequest = (spec: TensorSpec): SourcedTensor => ({ ...spec, source: { from: 'request' } });
export const fromSlice = (spec: TensorSpec, slice: number): SourcedTensor => ({
  ...{ ...spec, source: { from: 'slice', slice } },
});

const shared = { version: 1, slices: 2, request: [x, scale], fixed: ['epsilon'] } as const;

/**
 * The manifests of two slices: `shifted = x + [10, 20, 30]` and `early = -x`, then `late = shifted * scale`. The
 * outputs are `late`, `early` and the input `x`.
 */
export const MANIFESTS: readonly SliceManifest[] = [
  { ...shared, slice: 0, inputs: [fromRequest(x)], outputs: [shifted, early] },
  {
    ...{ ...shared, slice: 1, inputs: [fromSlice(shifted, 0), fromRequest(scale)], outputs: [late] },
    result: [fromSlice(late, 1), fromSlice(early, 0), fromRequest(x)],
  },
];

const MODELS: readonly TinyModel[] = [
  {
    nodes: nodesOf('Add x shift > shifted; Neg x > early'),
    weights: { name: 'shift', count: SHIFT.length, file: WEIGHTS_FILE },
    inputs: [x],
    outputs: [shifted, early],
  },
  { nodes: nodesOf('Mul shifted scale > late'), inputs: [shifted, scale], outputs: [late] },
];

/** Stages the slice's files and returns the environment variables of its function. */
export function stageSlice(
  objects: MemoryObjects,
  slice: number,
  manifest: SliceManifest = MANIFESTS[slice],
): Record<string, string> {
  const variables = stageModel(objects, `assets/${slice}.onnx`, MODELS[slice], manifest);
  return slice === 0 ? { ...variables, ...stageWeights(objects) } : variables;
}

function stageWeights(objects: MemoryObjects): Record<string, string> {
  objects.put('assets/0.weights', float32Bytes(SHIFT));
  return {
    [ENV.weightsUri]: 's3://assets/assets/0.weights',
    [ENV.weightsSha256]: sha256(float32Bytes(SHIFT)),
    [ENV.weightsFile]: WEIGHTS_FILE,
  };
}

/** The model whole, as one slice: `late = (x + [10, 20, 30]) * scale` and `early = -x`. The outputs are those of `MANIFESTS`. */
const WHOLE: TinyModel = {
  ...MODELS[0],
  nodes: nodesOf('Add x shift > shifted; Neg x > early; Mul shifted scale > late'),
  inputs: [x, scale],
  outputs: [late, early],
};

const WHOLE_MANIFEST: SliceManifest = {
  ...{ ...shared, slices: 1, slice: 0 },
  ...{ inputs: [fromRequest(x), fromRequest(scale)], outputs: [late, early] },
  result: [fromSlice(late, 0), fromSlice(early, 0), fromRequest(x)],
};

/** Stages the model whole, and returns the environment variables of a function that callers invoke. */
export function stageFunction(objects: MemoryObjects): Record<string, string> {
  const variables = stageModel(objects, 'assets/whole.onnx', WHOLE, WHOLE_MANIFEST);
  return {
    ...variables,
    ...stageWeights(objects),
    [ENV.directCalls]: 'on',
    AWS_LAMBDA_FUNCTION_NAME: 'model',
  };
}

/** Stages a slice without external weights and returns the environment variables of its function. */
export function stageModel(
  objects: MemoryObjects,
  key: string,
  model: TinyModel,
  manifest: SliceManifest,
): Record<string, string> {
  const bytes = encodeModel({ ...model, metadata: { [MANIFEST_KEY]: JSON.stringify(manifest) } });
  objects.put(key, bytes);
  return {
    [ENV.slice]: String(manifest.slice),
    [ENV.modelUri]: `s3://assets/${key}`,
    [ENV.modelSha256]: sha256(bytes),
    [ENV.bucket]: BUCKET,
    [ENV.deploymentDigest]: DEPLOYMENT_DIGEST,
    [ENV.threads]: '1',
  };
}
