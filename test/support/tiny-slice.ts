/** ONNX models of a few nodes, and the two slices of a small plan. */
import { createHash } from 'node:crypto';
import { ENV } from '../../contract/environment';
import { MANIFEST_KEY, type SliceManifest, type SourcedTensor } from '../../contract/slice-manifest';
import type { TensorSpec } from '../../contract/tensors';
import { dataTypeName } from '../../lib/onnx/data-type';
import type { MemoryObjects } from './memory-objects';
import { encodeModel as encode, external, floats, node, value } from './model-builder';

/** ONNX's numbers from the names of the types. */
const ELEMENT_TYPES = new Map(Array.from({ length: 14 }, (_, type) => [dataTypeName(type), type]));

export interface TinyModel {
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly weights?: {
    readonly name: string;
    readonly values: readonly number[];
    /** File beside the model for the values; without it they are inside the model. */
    readonly file?: string;
  };
  readonly metadata?: Readonly<Record<string, string>>;
}

export function encodeModel(model: TinyModel): Uint8Array {
  const { nodes, inputs, outputs, weights, metadata = {} } = model;
  return encode({
    irVersion: 8,
    graph: {
      node: nodes.map(({ op, inputs: from, outputs: to }) => node(op, [...from], [...to])),
      initializer: weights === undefined ? [] : [initializerOf(weights)],
      input: inputs.map(valueOf),
      output: outputs.map(valueOf),
    },
    metadataProps: Object.entries(metadata).map(([key, text]) => ({ key, value: text })),
  });
}

function initializerOf({ name, values, file }: NonNullable<TinyModel['weights']>) {
  if (file === undefined) return floats(name, [values.length], values);
  return external(name, [values.length], { location: file, offset: '0', length: String(values.length * 4) });
}

function valueOf({ name, dtype, shape }: TensorSpec): object {
  const dims = shape?.map((size) => size ?? 'unknown');
  return value(name, ELEMENT_TYPES.get(dtype), dims);
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

const fromRequest = (spec: TensorSpec): SourcedTensor => ({ ...spec, source: { from: 'request' } });
const fromSlice = (spec: TensorSpec, slice: number): SourcedTensor => ({
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
    nodes: [
      { op: 'Add', inputs: ['x', 'shift'], outputs: ['shifted'] },
      { op: 'Neg', inputs: ['x'], outputs: ['early'] },
    ],
    weights: { name: 'shift', values: SHIFT, file: WEIGHTS_FILE },
    inputs: [x],
    outputs: [shifted, early],
  },
  {
    nodes: [{ op: 'Mul', inputs: ['shifted', 'scale'], outputs: ['late'] }],
    inputs: [shifted, scale],
    outputs: [late],
  },
];

/** Stages the slice's files and returns the environment variables of its function. */
export function stageSlice(
  objects: MemoryObjects,
  slice: number,
  manifest: SliceManifest = MANIFESTS[slice],
): Record<string, string> {
  const variables = stageModel(objects, `assets/${slice}.onnx`, MODELS[slice], manifest);
  if (slice !== 0) return variables;
  objects.put('assets/0.weights', float32Bytes(SHIFT));
  return {
    ...variables,
    [ENV.weightsUri]: 's3://assets/assets/0.weights',
    [ENV.weightsSha256]: sha256(float32Bytes(SHIFT)),
    [ENV.weightsFile]: WEIGHTS_FILE,
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
