/** Random models of one operator that has a weight, with an input: subjects of comparisons of operators whole and in parts. */
import type { NumericDataType, NumericTensor } from '../../lambda/tensors/tensor';
import { onnxDataType } from '../../lib/onnx/data-type';
import type { ValueType } from '../../lib/shapes/value-types';
import { operatorOf } from '../../lib/split/operators';
import type { SplitAxis } from '../../lib/split/split';
import { ModelProto } from '../onnx-schema';
import type { Random } from './random';

/** A model from `x` to `y`. */
export interface OperatorCase {
  /** With its domain, unless it is ai.onnx. */
  readonly operator: string;
  readonly axis: SplitAxis;
  /** How many columns, channels or rows can be divided. */
  readonly length: number;
  /** Every boundary between parts must be at a multiple of it, because of groups. */
  readonly grain: number;
  readonly model: Uint8Array;
  readonly x: NumericTensor;
  readonly types: Readonly<Record<string, ValueType>>;
  /** The sizes, for a report. */
  readonly description: string;
}

interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** Attributes that are floats even if they are whole numbers. */
const FLOATS = ['alpha', 'beta'];

type Attributes = Readonly<Record<string, number | readonly number[]>>;

interface Draft {
  readonly opType: string;
  readonly domain?: string;
  readonly attributes?: Attributes;
  readonly axis?: SplitAxis;
  readonly length: number;
  readonly grain?: number;
  /** Of `x`, which is the input at position `at`. */
  readonly dtype?: NumericDataType;
  readonly dims: readonly number[];
  readonly at?: number;
  /** By position; an omitted one is undefined. `x` is among them as undefined too. */
  readonly weights: readonly (Tensor | undefined)[];
  /** Of `y`. */
  readonly result?: string;
  readonly rank: number;
}

/** Makes the tensors of a case. */
class Maker {
  readonly isWide: boolean;

  constructor(
    readonly random: Random,
    /** The most elements of a weight. */
    readonly elements: number,
  ) {
    this.isWide = random.pick([false, true]);
  }

  tensor(name: string, dims: readonly number[], dtype = 'float32'): Tensor {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return { name, dtype, dims, bytes: this.random.bytes(dtype, count, this.isWide) };
  }

  scale(name: string, dims: readonly number[]): Tensor {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const values = this.random.floats(count, false).map((value) => 0.001 + Math.abs(value) / 50);
    return { name, dtype: 'float32', dims, bytes: new Uint8Array(values.buffer) };
  }

  maybe<T>(value: () => T): T | undefined {
    return this.random.pick([true, false]) ? value() : undefined;
  }

  rows(): number {
    return this.random.pick([1, 1, 2, 3, 16, 17, 64, 128, 197, this.random.int(1, 300)]);
  }

  /** The sizes of a product: rows of the weight and its columns. */
  sizes(): { k: number; n: number } {
    const { random, elements } = this;
    const sizes = [random.int(1, 128), random.int(129, 512), random.int(513, 4096), 768, 1024, 3072];
    const k = Math.min(random.pick(sizes), Math.ceil(elements / 64));
    const most = Math.min(32_768, Math.floor(elements / k));
    return { k, n: random.pick([random.int(32, most), most - (most % 16), random.int(most >> 1, most)]) };
  }
}

const EIGHT_BITS = ['uint8', 'int8'] as const;

function product(make: Maker, opType = 'MatMul', dtype: NumericDataType = 'float32'): Draft {
  const { k, n } = make.sizes();
  const dims = make.random.pick([[make.rows(), k], [make.random.int(1, 3), make.rows(), k], [k]]);
  return {
    ...{ opType, length: n, dims, rank: dims.length, dtype, result: dtype },
    weights: [undefined, make.tensor('w', [k, n], dtype)],
  };
}

function batchedProduct(make: Maker): Draft {
  const { k, n } = make.sizes();
  const batch = make.random.int(2, 4);
  const dims = make.random.pick([
    [make.rows(), k],
    [batch, make.rows(), k],
  ]);
  const weight = make.tensor('w', [batch, k, Math.ceil(n / batch)]);
  return { opType: 'MatMul', length: weight.dims[2], dims, rank: 3, weights: [undefined, weight] };
}

function gemm(make: Maker, dtype: NumericDataType = 'float32'): Draft {
  const { random } = make;
  const { k, n } = make.sizes();
  const m = make.rows();
  const [transA, transB] = [random.int(0, 1), random.int(0, 1)];
  const bias = random.pick([undefined, [], [1], [n], [1, n], [m, 1], [m, n], [1, 1]]);
  const floats = { alpha: random.pick([1, 1, 0.3]), beta: random.pick([1, 1, 0, 0.7]) };
  return {
    ...{ opType: 'Gemm', length: n, rank: 2, dtype, result: dtype },
    attributes: { transA, transB, ...floats },
    dims: transA === 1 ? [k, m] : [m, k],
    weights: [
      undefined,
      make.tensor('w', transB === 1 ? [n, k] : [k, n], dtype),
      bias && make.tensor('c', bias, dtype),
    ],
  };
}

function nBits(make: Maker): Draft {
  const { random } = make;
  const { k: K, n: N } = make.sizes();
  const [bits, block_size] = [random.pick([4, 4, 8]), random.pick([16, 32, 64, 128])];
  const blocks = Math.ceil(K / block_size);
  const zeros = make.maybe(() => make.tensor('z', [N * Math.ceil((blocks * bits) / 8)], 'uint8'));
  return {
    ...{ opType: 'MatMulNBits', domain: 'com.microsoft', length: N, dims: [make.rows(), K], rank: 2 },
    attributes: { K, N, bits, block_size, accuracy_level: random.pick([0, 1, 4]) },
    weights: [
      undefined,
      make.tensor('w', [N, blocks, (block_size * bits) / 8], 'uint8'),
      make.scale('s', random.pick([[N * blocks], [N, blocks]])),
      zeros,
      undefined,
      make.maybe(() => make.tensor('bias', [N])),
    ],
  };
}

function integerProduct(make: Maker): Draft {
  const { k, n } = make.sizes();
  const [a, b] = [make.random.pick(EIGHT_BITS), make.random.pick(EIGHT_BITS)];
  const zeros = make.maybe(() => make.tensor('bz', make.random.pick([[], [n]]), b));
  return {
    ...{ opType: 'MatMulInteger', length: n, dtype: a, dims: [make.rows(), k], rank: 2, result: 'int32' },
    weights: [undefined, make.tensor('w', [k, n], b), make.maybe(() => make.tensor('az', [], a)), zeros],
  };
}

function dynamicProduct(make: Maker): Draft {
  const { k, n } = make.sizes();
  const b = make.random.pick(EIGHT_BITS);
  const scale = make.random.pick([[1], [n]]);
  return {
    ...{ opType: 'DynamicQuantizeMatMul', domain: 'com.microsoft', length: n, dims: [make.rows(), k] },
    ...{ rank: 2 },
    weights: [
      ...[undefined, make.tensor('w', [k, n], b), make.scale('s', scale)],
      make.maybe(() => make.tensor('z', scale, b)),
      make.maybe(() => make.tensor('bias', [n])),
    ],
  };
}

/** Inputs of `QLinearMatMul` and `QLinearConv`. @param k how many products a sum has: the scale of `y` keeps most sums in the range of bytes */
function quantized(make: Maker, weight: Tensor, [k, n]: readonly number[], dtype: string) {
  const each = make.random.pick([[], [n]]);
  const zero = make.tensor('wz', each, weight.dtype);
  // QLinearConv wants the same zero point for all channels.
  if (weight.dims.length > 2) zero.bytes.fill(weight.dtype === 'int8' ? 0 : 128);
  const scale = new Uint8Array(Float32Array.of(Math.sqrt(k) / make.random.pick([20, 100])).buffer);
  return [
    ...[undefined, make.scale('xs', []), make.tensor('xz', [], dtype), weight, make.scale('ws', each), zero],
    ...[{ ...make.scale('ys', []), bytes: scale }, make.tensor('yz', [], dtype)],
  ];
}

function quantizedProduct(make: Maker): Draft {
  const { k, n } = make.sizes();
  const [a, b] = make.random.pick([
    ['uint8', 'uint8'] as const,
    ['uint8', 'int8'] as const,
    ['int8', 'int8'] as const,
  ]);
  const weights = quantized(make, make.tensor('w', [k, n], b), [k, n], a);
  return {
    opType: 'QLinearMatMul',
    length: n,
    dtype: a,
    dims: [make.rows(), k],
    rank: 2,
    result: a,
    weights,
  };
}

interface ConvShape {
  readonly dims: readonly number[];
  readonly weight: readonly number[];
  readonly attributes: Attributes;
  readonly grain?: number;
}

/** @param groups 0 for one group for each channel */
function convShape(make: Maker, kernels: readonly number[], groups: number, spatial = 2): ConvShape {
  const { random } = make;
  const kernel = Array.from({ length: spatial }, () => random.pick(kernels));
  const area = kernel.reduce((all, size) => all * size, 1);
  const most = Math.min(groups === 1 ? 1024 : 64, Math.ceil(make.elements / area / 64));
  const inGroup =
    groups === 0 ? 1 : random.pick([random.int(1, most), random.int(Math.ceil(most / 2), most)]);
  const count = groups === 0 ? random.int(16, 200) : groups;
  const outGroup =
    groups === 1
      ? random.int(17, Math.max(32, Math.min(800, make.elements / area / inGroup)))
      : random.int(1, groups === 0 ? 2 : 32);
  const size = random.pick([1, 3, 7, 10, 14, 28]);
  return {
    dims: [random.pick([1, 1, 2]), inGroup * count, ...kernel.map((side) => size + side - 1)],
    weight: [count * outGroup, inGroup, ...kernel],
    attributes: {
      group: count,
      strides: kernel.map(() => random.pick([1, 1, 2])),
      ...(random.pick([true, false]) && { pads: [...kernel, ...kernel].map((side) => Math.floor(side / 2)) }),
    },
    ...(count > 1 && { grain: outGroup }),
  };
}

function conv(make: Maker, kernels: readonly number[], groups = 1, spatial = 2): Draft {
  const { dims, weight, ...rest } = convShape(make, kernels, groups, spatial);
  const bias = make.maybe(() => make.tensor('bias', [weight[0]]));
  const weights = [undefined, make.tensor('w', weight), bias];
  return { opType: 'Conv', ...rest, axis: 'channels', length: weight[0], dims, rank: dims.length, weights };
}

function convTranspose(make: Maker, groups: number): Draft {
  const { dims, weight, attributes, grain } = convShape(make, [1, 2, 3], groups);
  const [all, , ...kernel] = weight;
  const w = make.tensor('w', [dims[1], all / groups, ...kernel]);
  return {
    ...{ opType: 'ConvTranspose', attributes, axis: 'channels', length: all, dims, rank: 4 },
    ...(grain !== undefined && { grain }),
    weights: [undefined, w, make.maybe(() => make.tensor('bias', [all]))],
  };
}

function integerConv(make: Maker, opType: 'QLinearConv' | 'ConvInteger', groups = 1): Draft {
  const { dims, weight, ...rest } = convShape(make, [1, 3], groups);
  const [dtype, b] = make.random.pick([
    ['uint8', 'uint8'],
    ['uint8', 'int8'],
    ['int8', 'int8'],
  ] as const);
  // ConvInteger has kernels for weights of uint8 only.
  const w = make.tensor('w', weight, opType === 'ConvInteger' ? 'uint8' : b);
  const a = opType === 'ConvInteger' ? 'uint8' : dtype;
  const shared = { opType, ...rest, axis: 'channels', length: weight[0], dtype: a, dims, rank: 4 } as const;
  if (opType === 'ConvInteger')
    return { ...shared, result: 'int32', weights: [undefined, w, make.tensor('xz', [], a)] };
  const bias = make.maybe(() => make.tensor('bias', [weight[0]], 'int32'));
  const area = weight.slice(1).reduce((all, size) => all * size, 1);
  return { ...shared, result: a, weights: [...quantized(make, w, [area, weight[0]], a), bias] };
}

function gather(make: Maker, axis: SplitAxis, dtype = make.random.pick(['float32', 'float16'])): Draft {
  const { k, n } = make.sizes();
  return {
    ...{ opType: 'Gather', axis, length: axis === 'rows' ? k : n, at: 1, dtype: 'int64' },
    ...{ dims: [make.rows()], rank: 2, result: dtype, weights: [make.tensor('w', [k, n], dtype)] },
  };
}

/** By its name in reports. */
export const KINDS: Readonly<Record<string, (make: Maker) => Draft>> = {
  MatMul: (make) => product(make),
  'MatMul, batched weight': batchedProduct,
  'MatMul, float16': (make) => product(make, 'MatMul', 'float16'),
  Gemm: (make) => gemm(make),
  'Gemm, float16': (make) => gemm(make, 'float16'),
  MatMulNBits: nBits,
  MatMulInteger: integerProduct,
  DynamicQuantizeMatMul: dynamicProduct,
  QLinearMatMul: quantizedProduct,
  'Conv 1x1': (make) => conv(make, [1]),
  Conv: (make) => conv(make, [2, 3, 5]),
  'Conv, 1-D': (make) => conv(make, [1, 3, 7], 1, 1),
  'Conv, groups': (make) => conv(make, [1, 3], make.random.int(2, 12)),
  'Conv, depthwise': (make) => conv(make, [1, 3, 5], 0),
  ConvTranspose: (make) => convTranspose(make, 1),
  'ConvTranspose, groups': (make) => convTranspose(make, make.random.int(2, 12)),
  QLinearConv: (make) => integerConv(make, 'QLinearConv'),
  'QLinearConv, groups': (make) => integerConv(make, 'QLinearConv', make.random.pick([0, 2, 8])),
  ConvInteger: (make) => integerConv(make, 'ConvInteger'),
  'ConvInteger, groups': (make) => integerConv(make, 'ConvInteger', make.random.int(2, 8)),
  'Gather by columns': (make) => gather(make, 'columns'),
  'Gather by rows': (make) => gather(make, 'rows', 'float32'),
};

/** @param elements the most elements of the weight */
export function randomOperator(kind: string, random: Random, elements: number): OperatorCase {
  const make = new Maker(random, elements);
  const draft = KINDS[kind](make);
  const { opType, domain = '', axis = 'columns', length, grain = 1, dtype = 'float32', dims } = draft;
  const { result = 'float32', attributes = {} } = draft;
  const weights = draft.weights.filter((weight) => weight !== undefined);
  const rows = weights[0].dims.at(0) ?? 1;
  const ids = BigInt64Array.from({ length: dims[0] }, () => BigInt(random.int(-rows, rows - 1)));
  const bytes = dtype === 'int64' ? new Uint8Array(ids.buffer) : make.tensor('x', dims, dtype).bytes;
  const shape = Array.from({ length: draft.rank }, () => null);
  const sizes = weights.map((weight) => `${weight.name} ${weight.dtype}[${weight.dims.join()}]`).join(' ');
  return {
    ...{ operator: operatorOf({ domain, opType }), axis, length, grain, x: { dtype, shape: dims, bytes } },
    model: encode(draft, weights),
    types: {
      ...{ x: { dtype, shape: dims }, y: { dtype: result, shape } },
      'y float32': { dtype: 'float32', shape },
    },
    description: `${opType} x ${dtype}[${dims.join()}] ${sizes} ${JSON.stringify(attributes)}`,
  };
}

function encode(draft: Draft, weights: readonly Tensor[]): Uint8Array {
  const { dtype = 'float32', dims, result = 'float32' } = draft;
  return ModelProto.encode(
    ModelProto.create({
      irVersion: 9,
      opsetImport: ['', 'com.microsoft'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 })),
      graph: {
        name: 'operator',
        node: nodesOf(draft, weights),
        initializer: weights.map(({ name, dtype, dims, bytes }) => ({
          ...{ name, dataType: onnxDataType(dtype), dims, rawData: bytes },
        })),
        input: [declared('x', dtype, dims)],
        output: [declared('y', result)],
      },
    }),
  ).finish();
}

function declared(name: string, dtype: string, dims?: readonly number[]): object {
  const shape = dims && { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: onnxDataType(dtype), ...(shape && { shape }) } } };
}

/** Products of float16 have the casts that ONNX Runtime inserts, because it has no such kernels on x86-64. */
function nodesOf(
  { opType, domain = '', attributes = {}, at = 0, weights, dtype }: Draft,
  all: readonly Tensor[],
): object[] {
  const names = weights.map((weight) => weight?.name ?? '');
  names[at] = at < names.length && names[at] !== '' ? names[at] : 'x';
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value !== 'number'
      ? { name, ints: value, type: 7 }
      : FLOATS.includes(name)
        ? { name, f: value, type: 1 }
        : { name, i: value, type: 2 },
  );
  const operator = (input: readonly string[], y: string) => ({
    opType,
    domain,
    input,
    output: [y],
    attribute,
  });
  if (dtype !== 'float16') return [operator(names, 'y')];
  const cast = (from: string, to: string, type: string): object => ({
    ...{ opType: 'Cast', input: [from], output: [to] },
    attribute: [{ name: 'to', i: onnxDataType(type), type: 2 }],
  });
  return [
    ...['x', ...all.map(({ name }) => name)].map((name) => cast(name, `${name} float32`, 'float32')),
    operator(
      names.map((name) => (name === '' ? '' : `${name} float32`)),
      'y float32',
    ),
    cast('y float32', 'y', 'float16'),
  ];
}
