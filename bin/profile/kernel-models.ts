/** Encodes the tiny models that tell how fast a machine is: one for each kernel, and a graph that computes nothing. */
import { Writer } from 'protobufjs/minimal';
import type { KernelSpeeds } from '../../lib/compute-time/kernel-class';
import { onnxDataType, packedBytes } from '../../lib/onnx/data-type';
import {
  encodeGraphName,
  encodeInteger,
  encodeNode,
  encodeTensor,
  encodeValueInfo,
} from '../../lib/onnx/encode';
import { GRAPH, MODEL, OPSET, WIRE_TYPE, fieldTag } from '../../lib/onnx/fields';
import type { NumericDataType, RawTensor } from '../../lambda/tensors/tensor';

const IR_VERSION = 8;
const OPSETS: Readonly<Record<string, number>> = { '': 17, 'com.microsoft': 1 };

interface Tensor {
  readonly dtype: NumericDataType;
  readonly shape: readonly number[];
}

interface OneNode {
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly Tensor[];
  readonly weights?: readonly Tensor[];
  readonly integers?: Readonly<Record<string, number>>;
  readonly output: NumericDataType;
}

/** A model of one node whose output is `y`. */
export interface KernelModel {
  readonly model: Uint8Array;
  readonly inputs: ReadonlyMap<string, RawTensor>;
  /** Operations, or elements, of a run. */
  readonly operations: number;
}

const float = (...shape: readonly number[]): Tensor => ({ dtype: 'float32', shape });
const SQUARE = [512, 512] as const;
const [ROWS, INNER, COLUMNS, BLOCK] = [24, 768, 3072, 32];
const ELEMENTS = 393_216;

/** The kernels of `LAMBDA_SPEEDS`. */
export function kernelModels(): Readonly<Record<keyof KernelSpeeds, KernelModel>> {
  const bytes: Tensor = { dtype: 'uint8', shape: SQUARE };
  const blocks = INNER / BLOCK;
  return {
    float32: kernel(2 * 512 ** 3, {
      ...{ opType: 'MatMul', inputs: [float(...SQUARE), float(...SQUARE)], output: 'float32' },
    }),
    int8: kernel(2 * 512 ** 3, { opType: 'MatMulInteger', inputs: [bytes, bytes], output: 'int32' }),
    fourBits: kernel(2 * ROWS * INNER * COLUMNS, {
      ...{ opType: 'MatMulNBits', domain: 'com.microsoft', inputs: [float(ROWS, INNER)], output: 'float32' },
      weights: [{ dtype: 'uint8', shape: [COLUMNS, blocks, BLOCK / 2] }, float(COLUMNS * blocks)],
      integers: { K: INNER, N: COLUMNS, bits: 4, block_size: BLOCK, accuracy_level: 4 },
    }),
    elements: kernel(ELEMENTS, { opType: 'Sigmoid', inputs: [float(ELEMENTS)], output: 'float32' }),
  };
}

/** `y = a` for one float. */
export function emptyModel(): KernelModel {
  return kernel(0, { opType: 'Identity', inputs: [float(1)], output: 'float32' });
}

function kernel(operations: number, node: OneNode): KernelModel {
  const { opType, domain = '', inputs, weights = [], integers = {}, output } = node;
  const names = inputs.map((_, index) => `x${index}`);
  const held = weights.map((_, index) => `w${index}`);
  const attributes = Object.entries(integers).map(([name, value]) => encodeInteger(name, value));
  const graph = Buffer.concat([
    encodeNode(opType, [...names, ...held], ['y'], { domain, attributes }),
    encodeGraphName('kernel'),
    ...weights.map((tensor, index) =>
      encodeTensor(held[index], { dataType: onnxDataType(tensor.dtype), dims: tensor.shape }, filled(tensor)),
    ),
    ...inputs.map(({ dtype, shape }, index) =>
      encodeValueInfo(GRAPH.input, names[index], { dataType: onnxDataType(dtype), shape }),
    ),
    encodeValueInfo(GRAPH.output, 'y', { dataType: onnxDataType(output) }),
  ]);
  const model = new Writer().uint32(fieldTag(MODEL.irVersion, WIRE_TYPE.varint)).int64(IR_VERSION);
  for (const [name, version] of Object.entries(OPSETS)) {
    model.uint32(fieldTag(MODEL.opsetImport, WIRE_TYPE.lengthDelimited)).fork();
    model.uint32(fieldTag(OPSET.domain, WIRE_TYPE.lengthDelimited)).string(name);
    model.uint32(fieldTag(OPSET.version, WIRE_TYPE.varint)).int64(version).ldelim();
  }
  model.uint32(fieldTag(MODEL.graph, WIRE_TYPE.lengthDelimited)).bytes(graph);
  const tensors = inputs.map((tensor, index): [string, RawTensor] => [
    names[index],
    { ...tensor, bytes: filled(tensor) },
  ]);
  return { model: model.finish(), inputs: new Map(tensors), operations };
}

/** Small values: none is a denormal number or infinite. */
function filled({ dtype, shape }: Tensor): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype !== 'float32') return new Uint8Array(packedBytes(onnxDataType(dtype), count) ?? 0).fill(3);
  return new Uint8Array(Float32Array.from({ length: count }, (_, index) => (index % 7) / 7).buffer);
}
