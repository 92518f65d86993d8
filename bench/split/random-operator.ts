/** Random models of one operator that has a weight, with an input: subjects of comparisons of operators whole and in parts. */
import type { NumericDataType, NumericTensor } from '../../lambda/tensors/tensor';
import { onnxDataType } from '../../lib/onnx/data-type';
import type { ValueType } from '../../lib/shapes/value-types';
import type { SplitAxis } from '../../lib/split/split';
import { ModelProto } from '../onnx-schema';
import type { Random, Values } from './random';

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
  readonly nanIn: (typeof NAN_IN)[number];
  /** The sizes, for a report. */
  readonly description: string;
}

interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

interface Draft {
  /** With its domain, unless it is ai.onnx. */
  readonly operator: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  readonly axis?: SplitAxis;
  readonly length: number;
  readonly grain?: number;
  /** Of `x`. @default 'float32' */
  readonly dtype?: NumericDataType;
  /** Of `x`. */
  readonly dims: readonly number[];
  /** The inputs by position: `undefined` for `x`, `null` for an omitted one. */
  readonly inputs: readonly (Tensor | undefined | null)[];
  /** The type of `y`. @default - that of `x` */
  readonly result?: NumericDataType;
  /** Of `y`. @default - that of `x` */
  readonly rank?: number;
}

/** Attributes that are floats even if they are whole numbers. */
const FLOATS = ['alpha', 'beta'];

const productOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

/**
 * Which tensors have infinities and NaN with payloads. Never both: where NaN of an input meets NaN of a weight, the kernel chooses whose bits the
 * sum keeps, see lib/split/exactness.ts.
 */
const NAN_IN = ['none', 'none', 'x', 'weights'] as const;

/** Makes the tensors and sizes of a case. */
class Maker {
  readonly values: Omit<Values, 'special'> & { readonly nanIn: (typeof NAN_IN)[number] };

  constructor(
    readonly random: Random,
    /** The most elements of a weight. */
    readonly elements: number,
  ) {
    const isWide = random.pick([false, true]);
    // NaN spreads over whole rows and columns, where it would hide other differences: half of the cases have none, and most others few.
    const nanIn = random.pick(NAN_IN);
    const every = nanIn === 'none' ? 16 : random.pick([64, 4096, 65_536]);
    this.values = { isWide, nanIn, every };
  }

  tensor(name: string, dims: readonly number[], dtype = 'float32'): Tensor {
    return { name, dtype, dims, bytes: this.bytes(name, dtype, dims) };
  }

  private bytes(name: string, dtype: string, dims: readonly number[]): Uint8Array {
    const { nanIn, ...values } = this.values;
    const special = nanIn === (name === 'x' ? 'x' : 'weights') ? 'all' : 'numbers';
    return this.random.bytes(dtype, productOf(dims), { ...values, special });
  }

  scale(name: string, dims: readonly number[]): Tensor {
    const values = this.random.floats(productOf(dims), false).map((value) => 0.001 + Math.abs(value) / 50);
    return { name, dtype: 'float32', dims, bytes: new Uint8Array(values.buffer) };
  }

  maybe(name: string, dims: readonly number[], dtype = 'float32'): Tensor | null {
    return this.random.pick([null, this.tensor(name, dims, dtype)]);
  }

  /** Rows and columns of a weight, and rows of `x`. */
  sizes(): { k: number; n: number; m: number } {
    const { random, elements } = this;
    const sizes = [random.int(1, 128), random.int(129, 512), random.int(513, 4096), 768, 1024, 3072];
    const k = Math.min(random.pick(sizes), Math.ceil(elements / random.pick([64, 512, 2048])));
    const most = Math.min(32_768, Math.floor(elements / k));
    const n = random.pick([random.int(32, most), most - (most % 16), random.int(most >> 1, most)]);
    return { k, n, m: random.pick([1, 1, 2, 3, 16, 17, 64, 128, 197, random.int(1, 300)]) };
  }

  /** Types of `x` and of the weight. */
  types(): readonly ['uint8' | 'int8', 'uint8' | 'int8'] {
    return this.random.pick([
      ['uint8', 'uint8'] as const,
      ['uint8', 'int8'] as const,
      ['int8', 'int8'] as const,
    ]);
  }
}

function product(make: Maker): Draft {
  const { k, n, m } = make.sizes();
  const dims = make.random.pick([[m, k], [make.random.int(1, 3), m, k], [k]]);
  return { operator: 'MatMul', length: n, dims, inputs: [undefined, make.tensor('w', [k, n])] };
}

function batchedProduct(make: Maker): Draft {
  const { k, n, m } = make.sizes();
  const batch = make.random.int(2, 4);
  const length = Math.ceil(n / batch);
  const dims = make.random.pick([
    [m, k],
    [batch, m, k],
  ]);
  return {
    operator: 'MatMul',
    length,
    dims,
    rank: 3,
    inputs: [undefined, make.tensor('w', [batch, k, length])],
  };
}

function gemm(make: Maker): Draft {
  const { random } = make;
  const { k, n, m } = make.sizes();
  const [transA, transB] = [random.int(0, 1), random.int(0, 1)];
  const bias = random.pick([undefined, [], [1], [n], [1, n], [m, 1], [m, n], [1, 1]]);
  const weight = make.tensor('w', transB === 1 ? [n, k] : [k, n]);
  return {
    ...{ operator: 'Gemm', length: n, dims: transA === 1 ? [k, m] : [m, k] },
    attributes: { transA, transB, alpha: random.pick([1, 1, 0.3]), beta: random.pick([1, 1, 0, 0.7]) },
    inputs: [undefined, weight, bias ? make.tensor('c', bias) : null],
  };
}

function nBits(make: Maker): Draft {
  const { random } = make;
  const { k: K, n: N, m } = make.sizes();
  const [bits, block_size] = [random.pick([2, 4, 4, 8]), random.pick([16, 32, 64, 128])];
  const blocks = Math.ceil(K / block_size);
  const weight = make.tensor('w', [N, blocks, (block_size * bits) / 8], 'uint8');
  const scale = make.scale('s', random.pick([[N * blocks], [N, blocks]]));
  const groups = Int32Array.from({ length: K }, () => random.int(0, blocks - 1));
  const group = { name: 'g', dtype: 'int32', dims: [K], bytes: new Uint8Array(groups.buffer) };
  const order = random.pick([null, group]);
  const zeros = make.maybe('z', [N * Math.ceil((blocks * bits) / 8)], 'uint8');
  return {
    ...{ operator: 'com.microsoft.MatMulNBits', length: N, dims: [m, K] },
    attributes: { K, N, bits, block_size, accuracy_level: random.pick([0, 1, 4]) },
    inputs: [undefined, weight, scale, zeros, bits === 4 ? order : null, make.maybe('bias', [N])],
  };
}

function integerProduct(make: Maker): Draft {
  const { k, n, m } = make.sizes();
  const [dtype, b] = make.types();
  const zeros = [make.maybe('az', [], dtype), make.maybe('bz', make.random.pick([[], [n]]), b)];
  return {
    ...{ operator: 'MatMulInteger', length: n, dtype, dims: [m, k], result: 'int32' },
    inputs: [undefined, make.tensor('w', [k, n], b), ...zeros],
  };
}

function dynamicProduct(make: Maker): Draft {
  const { k, n, m } = make.sizes();
  const [, b] = make.types();
  const each = make.random.pick([[1], [n]]);
  const more = [make.scale('s', each), make.maybe('z', each, b), make.maybe('bias', [n])];
  return {
    ...{ operator: 'com.microsoft.DynamicQuantizeMatMul', length: n, dims: [m, k] },
    inputs: [undefined, make.tensor('w', [k, n], b), ...more],
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
  const { k, n, m } = make.sizes();
  const [dtype, b] = make.types();
  const inputs = quantized(make, make.tensor('w', [k, n], b), [k, n], dtype);
  return { operator: 'QLinearMatMul', length: n, dtype, dims: [m, k], inputs };
}

interface Convolution {
  readonly draft: Omit<Draft, 'inputs'>;
  /** The dims of its weight. */
  readonly weight: readonly number[];
}

/** @param groups 0 for one group for each channel */
function convolution(
  make: Maker,
  operator: string,
  kernels: readonly number[],
  groups = 1,
  spatial = 2,
): Convolution {
  const { random, elements } = make;
  const kernel = Array.from({ length: spatial }, () => random.pick(kernels));
  const most = Math.min(groups === 1 ? 1024 : 64, Math.ceil(elements / productOf(kernel) / 64));
  const inGroup = groups === 0 ? 1 : random.pick([random.int(1, most), random.int(most >> 1, most)]);
  const group = groups === 0 ? random.int(16, 200) : groups;
  const mostChannels = Math.max(32, Math.min(800, elements / productOf(kernel) / inGroup));
  const outGroup = groups === 1 ? random.int(17, mostChannels) : random.int(1, groups === 0 ? 2 : 32);
  const size = random.pick([1, 3, 7, 10, 14, 28]);
  const pads = [...kernel, ...kernel].map((side) => Math.floor(side / 2));
  const dims = [random.pick([1, 1, 2]), inGroup * group, ...kernel.map((side) => size + side - 1)];
  const strides = kernel.map(() => random.pick([1, 1, 2]));
  const attributes = { group, strides, ...(random.pick([true, false]) && { pads }) };
  const length = group * outGroup;
  return {
    draft: { operator, axis: 'channels', attributes, length, dims, ...(group > 1 && { grain: outGroup }) },
    weight: [length, inGroup, ...kernel],
  };
}

function conv(make: Maker, kernels: readonly number[], groups = 1, spatial = 2): Draft {
  const { draft, weight } = convolution(make, 'Conv', kernels, groups, spatial);
  return { ...draft, inputs: [undefined, make.tensor('w', weight), make.maybe('bias', [draft.length])] };
}

function convTranspose(make: Maker, groups: number): Draft {
  const { draft, weight } = convolution(make, 'ConvTranspose', [1, 2, 3], groups);
  const w = make.tensor('w', [draft.dims[1], draft.length / groups, ...weight.slice(2)]);
  return { ...draft, inputs: [undefined, w, make.maybe('bias', [draft.length])] };
}

function quantizedConv(make: Maker, groups = 1): Draft {
  const { draft, weight } = convolution(make, 'QLinearConv', [1, 3], groups);
  const [dtype, b] = make.types();
  const sizes = [productOf(weight.slice(1)), draft.length];
  const inputs = quantized(make, make.tensor('w', weight, b), sizes, dtype);
  return { ...draft, dtype, inputs: [...inputs, make.maybe('bias', [draft.length], 'int32')] };
}

/** There are kernels for weights of uint8 only. */
function integerConv(make: Maker, groups = 1): Draft {
  const { draft, weight } = convolution(make, 'ConvInteger', [1, 3], groups);
  const inputs = [undefined, make.tensor('w', weight, 'uint8'), make.tensor('xz', [], 'uint8')];
  return { ...draft, dtype: 'uint8', result: 'int32', inputs };
}

function gather(make: Maker, axis: SplitAxis, result: NumericDataType): Draft {
  const { k, n, m } = make.sizes();
  const draft = { operator: 'Gather', axis, length: axis === 'rows' ? k : n, rank: 2, result } as const;
  return { ...draft, dtype: 'int64', dims: [m], inputs: [make.tensor('w', [k, n], result), undefined] };
}

/** By its name in reports. */
export const KINDS: Readonly<Record<string, (make: Maker) => Draft>> = {
  MatMul: product,
  'MatMul, batched weight': batchedProduct,
  Gemm: gemm,
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
  QLinearConv: (make) => quantizedConv(make),
  'QLinearConv, groups': (make) => quantizedConv(make, make.random.pick([0, 2, 8])),
  ConvInteger: (make) => integerConv(make),
  'ConvInteger, groups': (make) => integerConv(make, make.random.int(2, 8)),
  'Gather by columns': (make) => gather(make, 'columns', make.random.pick(['float32', 'uint8'])),
  'Gather by rows': (make) =>
    gather(make, 'rows', make.random.pick(['float32', 'float32', 'float64', 'int8', 'int64'])),
};

/** @param elements the most elements of the weight */
export function randomOperator(kind: string, random: Random, elements: number): OperatorCase {
  const make = new Maker(random, elements);
  const draft = KINDS[kind](make);
  const { operator, axis = 'columns', length, grain = 1, dtype = 'float32', dims, attributes = {} } = draft;
  const { result = dtype, rank = dims.length } = draft;
  const weights = draft.inputs.filter((input) => input !== undefined && input !== null);
  const rows = weights[0].dims.at(0) ?? 1;
  const ids = BigInt64Array.from({ length: dims[0] }, () => BigInt(random.int(-rows, rows - 1)));
  const bytes = dtype === 'int64' ? new Uint8Array(ids.buffer) : make.tensor('x', dims, dtype).bytes;
  const shape = Array.from({ length: rank }, () => null);
  const sizes = weights.map((weight) => `${weight.name} ${weight.dtype}[${weight.dims.join()}]`).join(' ');
  return {
    ...{ operator, axis, length, grain, nanIn: make.values.nanIn, x: { dtype, shape: dims, bytes } },
    model: encode({ ...draft, dtype, result }, weights),
    types: { x: { dtype, shape: dims }, y: { dtype: result, shape } },
    description: `${operator} x ${dtype}[${dims.join()}] ${sizes} ${JSON.stringify(attributes)}`,
  };
}

type TypedDraft = Draft & Required<Pick<Draft, 'dtype' | 'result'>>;

function encode(draft: TypedDraft, weights: readonly Tensor[]): Uint8Array {
  const initializer = weights.map(({ name, dtype, dims, bytes }) => ({
    ...{ name, dataType: onnxDataType(dtype), dims, rawData: bytes },
  }));
  const input = [declared('x', draft.dtype, draft.dims)];
  const node = [nodeOf(draft)];
  const opsetImport = ['', 'com.microsoft'].map((domain) => ({ domain, version: domain === '' ? 17 : 1 }));
  const graph = { name: 'operator', node, initializer, input, output: [declared('y', draft.result)] };
  return ModelProto.encode(ModelProto.create({ irVersion: 9, opsetImport, graph })).finish();
}

function declared(name: string, dtype: string, dims?: readonly number[]): object {
  const shape = dims && { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType: onnxDataType(dtype), ...(shape && { shape }) } } };
}

function nodeOf({ operator, attributes = {}, inputs }: TypedDraft): object {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value !== 'number'
      ? { name, ints: value, type: 7 }
      : FLOATS.includes(name)
        ? { name, f: value, type: 1 }
        : { name, i: value, type: 2 },
  );
  const [opType, ...domain] = operator.split('.').reverse();
  const input = inputs.map((each) => (each === undefined ? 'x' : (each?.name ?? '')));
  return { opType, domain: domain.reverse().join('.'), attribute, input, output: ['y'] };
}
