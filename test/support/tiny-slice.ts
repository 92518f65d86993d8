/** Encodes ONNX models of a few nodes field by field, and stages the two slices of a small plan. */
import { createHash } from 'node:crypto';
import { Writer } from 'protobufjs/minimal';
import { ENV } from '../../contract/environment';
import { MANIFEST_KEY, type SliceManifest, type SourcedTensor } from '../../contract/slice-manifest';
import type { TensorDataType, TensorSpec } from '../../contract/tensors';
import type { MemoryObjects } from './memory-objects';

const ELEMENT_TYPES: Readonly<Record<TensorDataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

interface Weights {
  readonly name: string;
  readonly values: readonly number[];
  /** File beside the model for the values; without it they are inside the model. */
  readonly file?: string;
}

export interface TinyModel {
  readonly nodes: readonly Node[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly weights?: Weights;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function encodeModel(model: TinyModel): Uint8Array {
  const writer = Writer.create();
  writer.uint32(8).int64(8);
  message(writer, 7, (graph) => {
    writeGraph(graph, model);
  });
  message(writer, 8, (opset) => opset.uint32(16).int64(17));
  for (const [key, value] of Object.entries(model.metadata ?? {})) writeEntry(writer, 14, key, value);
  return writer.finish();
}

function writeGraph(graph: Writer, { nodes, inputs, outputs, weights }: TinyModel): void {
  for (const { op, inputs: from, outputs: to } of nodes) {
    message(graph, 1, (node) => {
      for (const name of from) node.uint32(10).string(name);
      for (const name of to) node.uint32(18).string(name);
      node.uint32(34).string(op);
    });
  }
  graph.uint32(18).string('tiny');
  if (weights !== undefined) {
    message(graph, 5, (tensor) => {
      writeWeights(tensor, weights);
    });
  }
  for (const spec of inputs) writeValue(graph, 11, spec);
  for (const spec of outputs) writeValue(graph, 12, spec);
}

function writeWeights(tensor: Writer, { name, values, file }: Weights): void {
  tensor.uint32(8).int64(values.length);
  tensor.uint32(16).int32(1);
  tensor.uint32(66).string(name);
  if (file === undefined) {
    tensor.uint32(74).bytes(float32Bytes(values));
    return;
  }
  writeEntry(tensor, 13, 'location', file);
  writeEntry(tensor, 13, 'offset', '0');
  writeEntry(tensor, 13, 'length', String(values.length * 4));
  tensor.uint32(112).int32(1);
}

function writeValue(graph: Writer, field: number, { name, dtype, shape }: TensorSpec): void {
  message(graph, field, (value) => {
    value.uint32(10).string(name);
    message(value, 2, (type) => {
      message(type, 1, (tensorType) => {
        tensorType.uint32(8).int32(ELEMENT_TYPES[dtype]);
        if (shape === null) return;
        message(tensorType, 2, (dimensions) => {
          for (const dimension of shape) {
            message(dimensions, 1, (size) => {
              if (typeof dimension === 'number') size.uint32(8).int64(dimension);
              else if (dimension !== null) size.uint32(18).string(dimension);
            });
          }
        });
      });
    });
  });
}

function writeEntry(writer: Writer, field: number, key: string, value: string): void {
  message(writer, field, (entry) => entry.uint32(10).string(key).uint32(18).string(value));
}

function message(writer: Writer, field: number, write: (inner: Writer) => unknown): void {
  writer.uint32(field * 8 + 2).fork();
  write(writer);
  writer.ldelim();
}

export function float32Bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const x: TensorSpec = { name: 'x', dtype: 'float32', shape: ['N', 3] };
const scale: TensorSpec = { name: 'scale', dtype: 'float32', shape: ['N', 3] };
const shifted: TensorSpec = { name: 'shifted', dtype: 'float32', shape: null };
const early: TensorSpec = { name: 'early', dtype: 'float32', shape: ['N', 3] };
const late: TensorSpec = { name: 'late', dtype: 'float32', shape: ['N', 3] };

export const DEPLOYMENT_DIGEST = 'a1b2c3';
export const BUCKET = 'pipeline';
const WEIGHTS_FILE = 'slice-00.weights';
const SHIFT = float32Bytes([10, 20, 30]);

const request = [x, scale];
const fromRequest = (spec: TensorSpec): SourcedTensor => ({ ...spec, source: { from: 'request' } });
const fromSlice = (spec: TensorSpec, slice: number): SourcedTensor => ({
  ...spec,
  source: { from: 'slice', slice },
});

/**
 * The manifests of two slices: `shifted = x + [10, 20, 30]` and `early = -x`, then `late = shifted * scale`. The
 * outputs are `late`, `early` and the input `x`.
 */
export const MANIFESTS: readonly SliceManifest[] = [
  {
    version: 1,
    slice: 0,
    slices: 2,
    request,
    fixed: ['epsilon'],
    inputs: [fromRequest(x)],
    outputs: [shifted, early],
  },
  {
    version: 1,
    slice: 1,
    slices: 2,
    request,
    fixed: ['epsilon'],
    inputs: [fromSlice(shifted, 0), fromRequest(scale)],
    outputs: [late],
    result: [fromSlice(late, 1), fromSlice(early, 0), fromRequest(x)],
  },
];

const MODELS: readonly TinyModel[] = [
  {
    nodes: [
      { op: 'Add', inputs: ['x', 'shift'], outputs: ['shifted'] },
      { op: 'Neg', inputs: ['x'], outputs: ['early'] },
    ],
    weights: { name: 'shift', values: [10, 20, 30], file: WEIGHTS_FILE },
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
  objects.put('assets/0.weights', SHIFT);
  return {
    ...variables,
    [ENV.weightsUri]: 's3://assets/assets/0.weights',
    [ENV.weightsSha256]: sha256(SHIFT),
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
