/** Random models of one operator with an 8-bit weight that covers the whole range, and what the operator gives with exact products. */
import type { NumericDataType, NumericTensor } from '../../lambda/tensors/tensor';
import { onnxDataType } from '../../lib/onnx/data-type';
import type { ValueType } from '../../lib/shapes/value-types';
import { ModelProto } from '../onnx-schema';
import type { Random } from '../split/random';
import {
  type Bytes,
  attention,
  exactConvolution,
  exactProduct,
  lstm,
  quantizedFloats,
  requantized,
} from './reference';

export type ByteType = 'uint8' | 'int8';
/** Of the activations and of the weights. */
export type TypePair = readonly [ByteType, ByteType];

/** A model from `x` to `y`. */
export interface IntegerCase {
  readonly model: Uint8Array;
  readonly x: NumericTensor;
  readonly types: Readonly<Record<string, ValueType>>;
  readonly exact: Float64Array;
  /** By how much a value may differ from the exact one: rounding in float32, not sums of integers. */
  readonly tolerance: number;
}

interface Tensor {
  readonly name: string;
  readonly dtype: NumericDataType;
  readonly dims: readonly number[];
  readonly values: Uint8Array | Int8Array | Float32Array | Int32Array;
}

interface Draft {
  readonly x: Tensor;
  /** The inputs by position: `undefined` for `x`, `null` for an omitted one. */
  readonly inputs: readonly (Tensor | undefined | null)[];
  readonly result: NumericDataType;
  readonly rank: number;
  readonly exact: Float64Array;
  /** @default 0 */
  readonly tolerance?: number;
  readonly attributes?: Readonly<Record<string, number>>;
}

type Make = (random: Random, types: TypePair) => Draft;

const BOTH: readonly ByteType[] = ['uint8', 'int8'];

function bytesOf(
  random: Random,
  dtype: ByteType,
  dims: readonly number[],
  name: string,
): Tensor & { values: Bytes } {
  const length = dims.reduce((product, dim) => product * dim, 1);
  const bytes = random.bytes(dtype, length);
  return { name, dtype, dims, values: dtype === 'int8' ? new Int8Array(bytes.buffer) : bytes };
}

function float(name: string, value: number, dims: readonly number[] = []): Tensor {
  return { name, dtype: 'float32', dims, values: Float32Array.of(value) };
}

/** One row uses other kernels than several; odd sizes have remainders. */
function sizes(random: Random): readonly [number, number, number] {
  return [
    random.pick([1, 1, 3, 8, 33]),
    random.pick([37, 64, 384, random.int(8, 900)]),
    random.pick([1, 16, 96, random.int(2, 300)]),
  ];
}

interface Product {
  readonly a: Tensor & { values: Bytes };
  readonly b: Tensor & { values: Bytes };
  readonly aZero: Tensor & { values: Bytes };
  readonly bZero: Tensor & { values: Bytes };
  readonly sums: Float64Array;
}

function product(random: Random, [a, b]: TypePair, zerosPerColumn: boolean): Product {
  const [m, k, n] = sizes(random);
  const left = bytesOf(random, a, [m, k], 'x');
  const right = bytesOf(random, b, [k, n], 'w');
  const aZero = bytesOf(random, a, [], 'xz');
  const bZero = bytesOf(random, b, zerosPerColumn ? [n] : [], 'wz');
  const zeros = { aZero: aZero.values[0], bZeros: bZero.values };
  return { a: left, b: right, aZero, bZero, sums: exactProduct(left.values, right.values, [m, k, n], zeros) };
}

/** The scale with which most sums stay in the range of bytes. */
function scaleOf(sums: Float64Array): number {
  return 60 / Math.max(1, sums.reduce((sum, value) => sum + Math.abs(value), 0) / sums.length);
}

const integerProduct: Make = (random, types) => {
  const { a, b, aZero, bZero, sums } = product(random, types, random.pick([true, false]));
  return { x: a, inputs: [undefined, b, aZero, bZero], result: 'int32', rank: 2, exact: sums };
};

/** Without zero points: the rewritten operator must get one. */
const plainProduct: Make = (random, [a, b]) => {
  const [m, k, n] = sizes(random);
  const [x, w] = [bytesOf(random, a, [m, k], 'x'), bytesOf(random, b, [k, n], 'w')];
  const exact = exactProduct(x.values, w.values, [m, k, n], { aZero: 0, bZeros: [0] });
  return { x, inputs: [undefined, w], result: 'int32', rank: 2, exact };
};

const floatProduct: Make = (random, types) => {
  const { a, b, aZero, bZero, sums } = product(random, types, false);
  const inputs = [undefined, b, float('xs', 1), float('ws', 1), aZero, bZero];
  return { x: a, inputs, result: 'float32', rank: 2, exact: sums.map(Math.fround) };
};

const linearProduct: Make = (random, types) => {
  const { a, b, aZero, bZero, sums } = product(random, types, false);
  const [scale, zero] = [scaleOf(sums), bytesOf(random, types[0], [], 'yz')];
  const inputs = [undefined, float('xs', 1), aZero, b, float('ws', 1), bZero, float('ys', 1 / scale), zero];
  const exact = requantized(sums, scale, zero.values[0], types[0] === 'int8');
  return { x: a, inputs, result: types[0], rank: 2, exact, tolerance: 1 };
};

const gemm: Make = (random, types) => {
  const { a, b, aZero, bZero, sums } = product(random, types, false);
  const inputs = [undefined, float('xs', 1), aZero, b, float('ws', 1), bZero];
  return { x: a, inputs, result: 'float32', rank: 2, exact: sums.map(Math.fround) };
};

/** @param groups 0 for one group for each channel */
function convolution(random: Random, types: TypePair, groups: number, multiplier = 1) {
  const kernel = random.pick([1, 3]);
  const group = groups === 0 ? random.pick([16, 32]) : groups;
  const inputs = groups === 0 ? group : group * random.pick([3, 8, 16]);
  const outputs = groups === 0 ? group * multiplier : group * random.pick([5, 16]);
  const side = kernel + random.pick([2, 6]);
  const [x, w] = [
    bytesOf(random, types[0], [1, inputs, side, side], 'x'),
    bytesOf(random, types[1], [outputs, inputs / group, kernel, kernel], 'w'),
  ];
  const [xZero, wZero] = [bytesOf(random, types[0], [], 'xz'), bytesOf(random, types[1], [], 'wz')];
  const found = { group, channels: [inputs, outputs], sides: [side, kernel] } as const;
  const zeros = { xZero: xZero.values[0], wZero: wZero.values[0] };
  return {
    x,
    w,
    xZero,
    wZero,
    group,
    side,
    kernel,
    outputs,
    sums: exactConvolution(x.values, w.values, found, zeros),
  };
}

const integerConv =
  (groups: number, multiplier = 1): Make =>
  (random, types) => {
    const { x, w, xZero, wZero, group, sums } = convolution(random, types, groups, multiplier);
    return {
      x,
      inputs: [undefined, w, xZero, wZero],
      result: 'int32',
      rank: 4,
      exact: sums,
      attributes: { group },
    };
  };

const linearConv =
  (groups: number, multiplier = 1, isChannelsLast = false): Make =>
  (random, types) => {
    const found = convolution(random, types, groups, multiplier);
    const { w, xZero, wZero, group, sums, side, kernel, outputs } = found;
    const [scale, zero] = [scaleOf(sums), bytesOf(random, types[0], [], 'yz')];
    const exact = requantized(sums, scale, zero.values[0], types[0] === 'int8');
    const inputs = [undefined, float('xs', 1), xZero, w, float('ws', 1), wZero, float('ys', 1 / scale), zero];
    const draft = { inputs, result: types[0], rank: 4, tolerance: 1 };
    const attributes: Record<string, number> = { group, ...(isChannelsLast && { channels_last: 1 }) };
    if (!isChannelsLast) return { ...draft, x: found.x, exact, attributes };
    const channels = found.x.dims[1];
    const values = found.x.values.slice();
    found.x.values.forEach((value, index) => {
      const [channel, place] = [Math.floor(index / side ** 2), index % side ** 2];
      values[place * channels + channel] = value;
    });
    const area = (side - kernel + 1) ** 2;
    const last = exact.slice();
    exact.forEach((value, index) => {
      last[(index % area) * outputs + Math.floor(index / area)] = value;
    });
    const x = { ...found.x, dims: [1, side, side, channels], values };
    return { ...draft, x, exact: last, attributes };
  };

/** Rounding of the activations may differ by one step. */
const ROUNDED = 0.005;

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

const dynamicProduct: Make = (random, [, b]) => {
  const [m, k, n] = sizes(random);
  const x: Tensor = { name: 'x', dtype: 'float32', dims: [m, k], values: random.floats(m * k, false) };
  const [w, wz] = [bytesOf(random, b, [k, n], 'w'), bytesOf(random, b, [], 'wz')];
  const { values, scale, zero } = quantizedFloats(x.values);
  const sums = exactProduct(values, w.values, [m, k, n], { aZero: zero, bZeros: wz.values });
  const exact = sums.map((sum) => sum * scale);
  const inputs = [undefined, w, float('ws', 1), random.pick([wz, { ...wz, dims: [1] }])];
  return { x, inputs, result: 'float32', rank: 2, exact, tolerance: ROUNDED * largest(exact) };
};

const HEADS = 2;

const quantizedAttention: Make = (random, [a, b]) => {
  const [rows, inputs, size] = [random.pick([1, 5, 12]), random.pick([32, 96]), 16];
  const width = 3 * HEADS * size;
  const x = bytesOf(random, a, [1, rows, inputs], 'x');
  const w = bytesOf(random, b, [inputs, width], 'w');
  const [xz, wz] = [bytesOf(random, a, [], 'xz'), bytesOf(random, b, [], 'wz')];
  const zeros = { aZero: xz.values[0], bZeros: wz.values };
  const sums = exactProduct(x.values, w.values, [rows, inputs, width], zeros);
  const scale = 2 / largest(sums);
  const exact = attention(
    sums.map((sum) => sum * scale),
    rows,
    HEADS,
    size,
  );
  const bias: Tensor = { name: 'bias', dtype: 'float32', dims: [width], values: new Float32Array(width) };
  return {
    ...{ x, inputs: [undefined, w, bias, float('xs', scale), float('ws', 1), null, xz, wz] },
    ...{ result: 'float32', rank: 3, exact, tolerance: ROUNDED * largest(exact) },
    attributes: { num_heads: HEADS },
  };
};

/** Errors of quantized states add up from step to step. */
const RECURRENT = 0.05;

const dynamicLstm: Make = (random, [, b]) => {
  const [steps, inputs, hidden] = [6, random.pick([32, 64]), random.pick([24, 48])];
  const x: Tensor = {
    name: 'x',
    dtype: 'float32',
    dims: [steps, 1, inputs],
    values: random.floats(steps * inputs, false),
  };
  const w = bytesOf(random, b, [1, inputs, 4 * hidden], 'w');
  const r = bytesOf(random, b, [1, hidden, 4 * hidden], 'r');
  const zero = b === 'int8' ? 0 : 128;
  const scale = 0.003;
  const [one, zeros] = [
    (name: string) => float(name, scale, [1]),
    (name: string): Tensor => ({
      name,
      dtype: b,
      dims: [1],
      values: b === 'int8' ? Int8Array.of(zero) : Uint8Array.of(zero),
    }),
  ];
  const exact = lstm({
    x: x.values as Float32Array,
    w: w.values,
    r: r.values,
    zero,
    scale,
    sizes: [steps, inputs, hidden],
  });
  const omitted = Array.from({ length: 5 }, () => null);
  return {
    ...{ x, inputs: [undefined, w, r, ...omitted, one('ws'), zeros('wz'), one('rs'), zeros('rz')] },
    ...{ result: 'float32', rank: 4, exact, tolerance: RECURRENT, attributes: { hidden_size: hidden } },
  };
};

export interface Kind {
  /** With its domain, unless it is ai.onnx. */
  readonly operator: string;
  readonly make: Make;
  /** Types that the activations can have; uint8 if the kernel quantizes them itself. */
  readonly activations: readonly ByteType[];
}

const kind = (operator: string, make: Make, activations = BOTH): Kind => ({ operator, make, activations });
const UNSIGNED: readonly ByteType[] = ['uint8'];

/** By name in the table. */
export const KINDS: Readonly<Record<string, Kind>> = {
  MatMulInteger: kind('MatMulInteger', integerProduct),
  'MatMulInteger without zero points': kind('MatMulInteger', plainProduct),
  QLinearMatMul: kind('QLinearMatMul', linearProduct),
  ConvInteger: kind('ConvInteger', integerConv(1)),
  'ConvInteger in groups': kind('ConvInteger', integerConv(4)),
  'ConvInteger by channel': kind('ConvInteger', integerConv(0)),
  QLinearConv: kind('QLinearConv', linearConv(1)),
  'QLinearConv in groups': kind('QLinearConv', linearConv(4)),
  'QLinearConv by channel': kind('QLinearConv', linearConv(0)),
  'QLinearConv by channel, twice': kind('QLinearConv', linearConv(0, 2)),
  'QLinearConv, channels last': kind('com.microsoft.QLinearConv', linearConv(1, 1, true)),
  'QLinearConv by channel, channels last': kind('com.microsoft.QLinearConv', linearConv(0, 1, true)),
  MatMulIntegerToFloat: kind('com.microsoft.MatMulIntegerToFloat', floatProduct),
  QGemm: kind('com.microsoft.QGemm', gemm),
  DynamicQuantizeMatMul: kind('com.microsoft.DynamicQuantizeMatMul', dynamicProduct, UNSIGNED),
  QAttention: kind('com.microsoft.QAttention', quantizedAttention, UNSIGNED),
  DynamicQuantizeLSTM: kind('com.microsoft.DynamicQuantizeLSTM', dynamicLstm, UNSIGNED),
};

export function integerCase({ operator, make }: Kind, random: Random, types: TypePair): IntegerCase {
  const draft = make(random, types);
  const { x, inputs, result, rank, exact, tolerance = 0, attributes = {} } = draft;
  const stored = inputs.filter((input): input is Tensor => input !== undefined && input !== null);
  const [opType, ...domain] = operator.split('.').reverse();
  const declared = (name: string, dtype: string, dims: readonly (number | null)[]): object => ({
    name,
    type: {
      tensorType: {
        elemType: onnxDataType(dtype),
        shape: { dim: dims.map((size) => (size === null ? {} : { dimValue: size })) },
      },
    },
  });
  const model = ModelProto.encode(
    ModelProto.create({
      irVersion: 8,
      opsetImport: [{ version: 17 }, { domain: 'com.microsoft', version: 1 }],
      graph: {
        name: 'case',
        node: [
          {
            ...{ opType, domain: domain.reverse().join('.'), name: 'operator', output: ['y'] },
            input: inputs.map((input) => (input === undefined ? 'x' : (input?.name ?? ''))),
            attribute: Object.entries(attributes).map(([name, i]) => ({ name, i, type: 2 })),
          },
        ],
        initializer: stored.map(({ name, dtype, dims, values }) => ({
          ...{ name, dataType: onnxDataType(dtype), dims },
          rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        })),
        input: [declared('x', x.dtype, x.dims)],
        output: [
          declared(
            'y',
            result,
            Array.from({ length: rank }, () => null),
          ),
        ],
      },
    }),
  ).finish();
  const { values } = x;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const known = [x, ...stored].map(({ name, dtype, dims }) => [name, { dtype, shape: dims }] as const);
  return {
    model,
    x: { dtype: x.dtype, shape: x.dims, bytes },
    types: Object.fromEntries(known),
    ...{ exact, tolerance },
  };
}
