/** Models of one operator, from the name and the shape that a row of the table of times has. */
import * as fs from 'node:fs';
import { onnxDataType } from '../../lib/onnx/data-type';
import { ModelProto } from '../onnx-schema';

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}

interface Operator {
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly Tensor[];
  /** Input 0 is of the request; these are weights. */
  readonly weights: readonly (Tensor & { readonly integers?: readonly number[] })[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

const float = (...shape: readonly number[]): Tensor => ({ dtype: 'float32', shape });
const typed = (dtype: string, ...shape: readonly number[]): Tensor => ({ dtype, shape });
const numbers = (text: string): number[] => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
/** Elementwise rows have the number of elements alone: rows of 768, as in a transformer. */
const WIDTH = 768;
const HEADS = 12;
const BLOCK = 32;

const elementwise = (opType: string, inputs: readonly Tensor[], more: Partial<Operator> = {}): Operator => ({
  ...{ opType, inputs, weights: [], outputs: ['float32'] },
  ...more,
});

const rowsOf = (elements: number): Tensor =>
  elements % WIDTH === 0 ? float(1, elements / WIDTH, WIDTH) : float(1, elements / 1000, 1000);

/** By the first word of a row's operator, or all of it. */
const MAKERS: Readonly<Partial<Record<string, (shape: string, name: string) => Operator>>> = {
  'MatMul float32': (shape) => {
    const [m, k, n] = numbers(shape);
    return { opType: 'MatMul', inputs: [float(m, k)], weights: [float(k, n)], outputs: ['float32'] };
  },
  MatMulInteger: (shape, name) => {
    const [m, k, n] = numbers(shape);
    const [, left, right] = / (\w+) x (\w+)/.exec(name) ?? ['', 'uint8', 'uint8'];
    return {
      ...{ opType: 'MatMulInteger', inputs: [typed(left, m, k)] },
      weights: [typed(right, k, n), typed(left), typed(right)],
      outputs: ['int32'],
    };
  },
  MatMulNBits: (shape, name) => {
    const [m, K, N] = numbers(shape);
    const accuracy = Number(/level (\d)/.exec(name)?.[1] ?? 0);
    return {
      ...{ opType: 'MatMulNBits', domain: 'com.microsoft', inputs: [float(m, K)] },
      weights: [typed('uint8', N, K / BLOCK, BLOCK / 2), float((N * K) / BLOCK)],
      outputs: ['float32'],
      attributes: { K, N, bits: 4, block_size: BLOCK, accuracy_level: accuracy },
    };
  },
  Conv: (shape) => {
    const [from, to, kernel, , size, stride, group] = numbers(shape);
    const pad = (kernel - 1) / 2;
    return {
      ...{ opType: 'Conv', inputs: [float(1, from, size, size)], outputs: ['float32'] },
      weights: [float(to, from / group, kernel, kernel)],
      attributes: { group, strides: [stride, stride], pads: [pad, pad, pad, pad] },
    };
  },
  LSTM: (shape) => {
    const [steps, features, hidden] = numbers(shape);
    const weights = [float(1, 4 * hidden, features), float(1, 4 * hidden, hidden)];
    return {
      ...{ opType: 'LSTM', inputs: [float(steps, 1, features)], weights },
      ...{ outputs: ['float32'], attributes: { hidden_size: hidden } },
    };
  },
  LayerNormalization: (shape) =>
    elementwise('LayerNormalization', [rowsOf(Number(shape))], { weights: [float(WIDTH), float(WIDTH)] }),
  Softmax: (shape) => elementwise('Softmax', [rowsOf(Number(shape))], { attributes: { axis: -1 } }),
  ReduceMean: (shape) => elementwise('ReduceMean', [rowsOf(Number(shape))], { attributes: { axes: [-1] } }),
  'Transpose 0213': (shape) =>
    elementwise('Transpose', [float(1, Number(shape) / WIDTH, HEADS, WIDTH / HEADS)], {
      attributes: { perm: [0, 2, 1, 3] },
    }),
  'Transpose 0231': (shape) =>
    elementwise('Transpose', [float(1, Number(shape) / WIDTH, HEADS, WIDTH / HEADS)], {
      attributes: { perm: [0, 2, 3, 1] },
    }),
  'Cast to float16': (shape) =>
    elementwise('Cast', [rowsOf(Number(shape))], { outputs: ['float16'], attributes: { to: 10 } }),
  DynamicQuantizeLinear: (shape) =>
    elementwise('DynamicQuantizeLinear', [rowsOf(Number(shape))], { outputs: ['uint8', 'float32', 'uint8'] }),
};

const TWO_INPUTS = new Set(['Add', 'Mul', 'Div', 'Sub', 'Pow']);

function operatorOf(name: string, shape: string): Operator {
  const make = [name, name.split(' ')[0]].map((own) => MAKERS[own]).find((own) => own !== undefined);
  if (make !== undefined) return make(shape, name);
  const input = rowsOf(Number(shape));
  return elementwise(name, TWO_INPUTS.has(name) ? [input, input] : [input]);
}

/** Writes the model into `file`. All weights and zero points are in it, and have the same bytes each time. */
export function writeOperator(file: string, name: string, shape: string): void {
  const { opType, domain = '', inputs, weights, outputs, attributes = {} } = operatorOf(name, shape);
  const names = inputs.map((_, index) => `x${index}`);
  const declared = (own: string, { dtype, shape: dims }: Tensor): object => ({
    name: own,
    type: {
      tensorType: {
        elemType: onnxDataType(dtype),
        shape: { dim: dims.map((dimValue) => ({ dimValue })) },
      },
    },
  });
  // LSTM: X, W and R. Layers with a zero point of the weights have it after that of the activations.
  const node = {
    ...{ opType, domain },
    input: [...names, ...weights.map((_, index) => `w${index}`)],
    output: outputs.map((_, index) => `y${index}`),
    attribute: Object.entries(attributes).map(([key, own]) =>
      typeof own === 'number' ? { name: key, i: own, type: 2 } : { name: key, ints: own, type: 7 },
    ),
  };
  const graph = {
    name: 'operator',
    node: [node],
    initializer: weights.map(({ dtype, shape: dims }, index) => ({
      ...{ name: `w${index}`, dims, dataType: onnxDataType(dtype) },
      rawData: weightBytes(
        dtype,
        dims.reduce((product, size) => product * size, 1),
      ),
    })),
    input: inputs.map((tensor, index) => declared(names[index], tensor)),
    output: outputs.map((dtype, index) => ({
      name: `y${index}`,
      type: { tensorType: { elemType: onnxDataType(dtype) } },
    })),
  };
  const opsetImport = [{ version: 17 }, { domain: 'com.microsoft', version: 1 }];
  fs.writeFileSync(file, ModelProto.encode(ModelProto.create({ irVersion: 8, opsetImport, graph })).finish());
}

function weightBytes(dtype: string, length: number): Uint8Array {
  if (dtype !== 'float32') return Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
  const floats = Float32Array.from({ length }, (_, index) => ((index * 7919) % 101) / 1000);
  return new Uint8Array(floats.buffer);
}
