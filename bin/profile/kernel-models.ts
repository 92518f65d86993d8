/** Encodes the tiny models that tell how fast a machine is: one for each kernel, and a graph that computes nothing. */
import type { KernelSpeeds } from '../../lib/compute-time/kernel-class';
import { onnxDataType, packedBytes } from '../../lib/onnx/data-type';
import * as encode from '../../lib/onnx/encode';
import { GRAPH, MODEL, OPSET } from '../../lib/onnx/fields';
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
  const attributes = Object.entries(integers).map(([name, value]) => encode.encodeInteger(name, value));
  const graph = encode.field(
    MODEL.graph,
    encode.encodeNode(opType, [...names, ...held], ['y'], { domain, attributes }),
    encode.encodeGraphName('kernel'),
    ...weights.map((tensor, index) =>
      encode.encodeTensor(
        held[index],
        { dataType: onnxDataType(tensor.dtype), dims: tensor.shape },
        filled(tensor),
      ),
    ),
    ...inputs.map(({ dtype, shape }, index) =>
      encode.encodeValueInfo(GRAPH.input, names[index], { dataType: onnxDataType(dtype), shape }),
    ),
    encode.encodeValueInfo(GRAPH.output, 'y', { dataType: onnxDataType(output) }),
  );
  const opsets = Object.entries(OPSETS).map(([name, version]) =>
    encode.field(
      MODEL.opsetImport,
      encode.textField(OPSET.domain, name),
      encode.integerField(OPSET.version, version),
    ),
  );
  const model = Buffer.concat([encode.integerField(MODEL.irVersion, IR_VERSION), ...opsets, graph]);
  const tensors = inputs.map((tensor, index): [string, RawTensor] => [
    names[index],
    { ...tensor, bytes: filled(tensor) },
  ]);
  return { model, inputs: new Map(tensors), operations };
}

/** Small values: none is a denormal number or infinite. */
function filled({ dtype, shape }: Tensor): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype !== 'float32') return new Uint8Array(packedBytes(onnxDataType(dtype), count) ?? 0).fill(3);
  return new Uint8Array(Float32Array.from({ length: count }, (_, index) => (index % 7) / 7).buffer);
}
