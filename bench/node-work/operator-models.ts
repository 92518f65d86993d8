/** Models of one operator each, with inputs and weights of realistic sizes. */
import * as fs from 'node:fs';
import { ModelProto } from '../onnx-schema';

const FLOAT = 1;
const UINT8 = 2;
const INT8 = 3;
const INT64 = 7;
const BYTES: Readonly<Record<number, number>> = { [FLOAT]: 4, [UINT8]: 1, [INT8]: 1, [INT64]: 8 };

interface OperatorTensor {
  readonly dtype: number;
  readonly shape: readonly number[];
  /** If set, the tensor is a weight. */
  readonly values?: (index: number) => number;
}

export interface OperatorCase {
  readonly title: string;
  readonly opType: string;
  readonly domain?: string;
  readonly inputs: readonly OperatorTensor[];
  readonly outputs?: number;
  readonly attributes?: readonly object[];
}

const input = (shape: readonly number[], dtype = FLOAT): OperatorTensor => ({ dtype, shape });
const weight = (shape: readonly number[], dtype = FLOAT): OperatorTensor => ({
  dtype,
  shape,
  values: (index) => (dtype === FLOAT ? ((index % 17) - 8) / 80 : index % 17),
});
const scalar = (value: number, dtype = FLOAT): OperatorTensor => ({ dtype, shape: [], values: () => value });
const integers = (values: readonly number[]): OperatorTensor => ({
  dtype: INT64,
  shape: [values.length],
  values: (index) => values[index],
});
const int = (name: string, i: number): object => ({ name, type: 2, i });
const ints = (name: string, list: readonly number[]): object => ({ name, type: 7, ints: list });

const IMAGE = input([1, 64, 56, 56]);
const STATES = input([1, 128, 768]);
const SCORES = input([1, 12, 128, 128]);

function elementwise(opType: string, domain = ''): OperatorCase {
  return { title: `${opType} 1 x 64 x 56 x 56`, opType, domain, inputs: [IMAGE] };
}

function convolution(title: string, kernel: readonly number[], stride: number, group = 1): OperatorCase {
  const pad = Math.floor((kernel.at(-1) ?? 1) / 2);
  return {
    title: `Conv ${title}`,
    opType: 'Conv',
    inputs: [IMAGE, weight(kernel)],
    attributes: [
      ints('kernel_shape', kernel.slice(2)),
      ints('pads', [pad, pad, pad, pad]),
      ints('strides', [stride, stride]),
      int('group', group),
    ],
  };
}

export const OPERATOR_CASES: readonly OperatorCase[] = [
  { title: 'MatMul 128 x 768 x 768', opType: 'MatMul', inputs: [STATES, weight([768, 768])] },
  { title: 'MatMul 1 x 768 x 3072', opType: 'MatMul', inputs: [input([1, 768]), weight([768, 3072])] },
  { title: 'MatMul 8 x 768 x 3072', opType: 'MatMul', inputs: [input([8, 768]), weight([768, 3072])] },
  {
    title: 'MatMul 12 of 128 x 64 x 128',
    opType: 'MatMul',
    inputs: [input([1, 12, 128, 64]), input([1, 12, 64, 128])],
  },
  { title: 'Gemm 1 x 768 x 1000', opType: 'Gemm', inputs: [input([1, 768]), weight([768, 1000])] },
  {
    title: 'MatMulInteger 128 x 768 x 768',
    opType: 'MatMulInteger',
    inputs: [input([128, 768], UINT8), weight([768, 768], INT8)],
  },
  {
    title: 'DynamicQuantizeMatMul 128 x 768 x 768',
    opType: 'DynamicQuantizeMatMul',
    domain: 'com.microsoft',
    inputs: [input([128, 768]), weight([768, 768], INT8), scalar(0.01)],
  },
  {
    title: 'QLinearMatMul 128 x 768 x 768',
    opType: 'QLinearMatMul',
    inputs: [
      input([128, 768], UINT8),
      scalar(0.1),
      scalar(3, UINT8),
      weight([768, 768], INT8),
      scalar(0.1),
      scalar(0, INT8),
      scalar(0.1),
      scalar(3, UINT8),
    ],
  },
  {
    title: 'Einsum bhid,bhjd->bhij 12 of 128 x 64',
    opType: 'Einsum',
    inputs: [input([1, 12, 128, 64]), input([1, 12, 128, 64])],
    attributes: [{ name: 'equation', type: 3, s: Buffer.from('bhid,bhjd->bhij') }],
  },
  convolution('1 x 1, 64 to 64', [64, 64, 1, 1], 1),
  convolution('3 x 3, 64 to 64', [64, 64, 3, 3], 1),
  convolution('3 x 3 stride 2, 64 to 128', [128, 64, 3, 3], 2),
  convolution('3 x 3 depthwise', [64, 1, 3, 3], 1, 64),
  convolution('3 x 3 depthwise stride 2', [64, 1, 3, 3], 2, 64),
  convolution('5 x 5 depthwise', [64, 1, 5, 5], 1, 64),
  {
    title: 'ConvTranspose 2 x 2 stride 2, 64 to 32',
    opType: 'ConvTranspose',
    inputs: [IMAGE, weight([64, 32, 2, 2])],
    attributes: [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])],
  },
  {
    title: 'QLinearConv 3 x 3, 64 to 64',
    opType: 'QLinearConv',
    inputs: [
      input([1, 64, 56, 56], UINT8),
      scalar(0.1),
      scalar(3, UINT8),
      weight([64, 64, 3, 3], INT8),
      scalar(0.1),
      scalar(0, INT8),
      scalar(0.1),
      scalar(3, UINT8),
    ],
    attributes: [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1])],
  },
  {
    title: 'LSTM 50 steps, 256',
    opType: 'LSTM',
    inputs: [input([50, 1, 256]), weight([1, 1024, 256]), weight([1, 1024, 256])],
    attributes: [int('hidden_size', 256)],
  },
  {
    title: 'GRU 50 steps, 256',
    opType: 'GRU',
    inputs: [input([50, 1, 256]), weight([1, 768, 256]), weight([1, 768, 256])],
    attributes: [int('hidden_size', 256)],
  },
  {
    title: 'MultiHeadAttention 128, 12 heads',
    opType: 'MultiHeadAttention',
    domain: 'com.microsoft',
    inputs: [STATES, STATES, STATES],
    attributes: [int('num_heads', 12)],
  },
  { title: 'Add 1 x 64 x 56 x 56', opType: 'Add', inputs: [IMAGE, IMAGE] },
  { title: 'Div 1 x 64 x 56 x 56', opType: 'Div', inputs: [IMAGE, scalar(3)] },
  { title: 'Pow 1 x 64 x 56 x 56', opType: 'Pow', inputs: [IMAGE, scalar(2)] },
  { title: 'Pow 0.3 1 x 64 x 56 x 56', opType: 'Pow', inputs: [IMAGE, scalar(0.3)] },
  ...[
    'Relu',
    'Sqrt',
    'Exp',
    'Log',
    'Erf',
    'Tanh',
    'Sigmoid',
    'Sin',
    'Softplus',
    'HardSigmoid',
    'LeakyRelu',
    'Elu',
  ].map((opType) => elementwise(opType)),
  elementwise('Gelu', 'com.microsoft'),
  elementwise('QuickGelu', 'com.microsoft'),
  {
    title: 'QuantizeLinear 1 x 64 x 56 x 56',
    opType: 'QuantizeLinear',
    inputs: [IMAGE, scalar(0.1), scalar(3, UINT8)],
  },
  {
    title: 'DequantizeLinear 768 x 768',
    opType: 'DequantizeLinear',
    inputs: [input([768, 768], INT8), scalar(0.1)],
  },
  { title: 'Softmax 12 x 128 x 128', opType: 'Softmax', inputs: [SCORES] },
  {
    title: 'LayerNormalization 128 x 768',
    opType: 'LayerNormalization',
    inputs: [STATES, weight([768]), weight([768])],
  },
  {
    title: 'BatchNormalization 64 x 56 x 56',
    opType: 'BatchNormalization',
    inputs: [IMAGE, weight([64]), weight([64]), weight([64]), { dtype: FLOAT, shape: [64], values: () => 1 }],
  },
  {
    title: 'InstanceNormalization 64 x 56 x 56',
    opType: 'InstanceNormalization',
    inputs: [IMAGE, weight([64]), weight([64])],
  },
  {
    title: 'ReduceMean last axis',
    opType: 'ReduceMean',
    inputs: [STATES],
    attributes: [ints('axes', [-1])],
  },
  { title: 'GlobalAveragePool', opType: 'GlobalAveragePool', inputs: [IMAGE] },
  {
    title: 'MaxPool 3 x 3 stride 2',
    opType: 'MaxPool',
    inputs: [IMAGE],
    attributes: [ints('kernel_shape', [3, 3]), ints('strides', [2, 2])],
  },
  {
    title: 'MaxPool 5 x 5 stride 1',
    opType: 'MaxPool',
    inputs: [IMAGE],
    attributes: [ints('kernel_shape', [5, 5]), ints('pads', [2, 2, 2, 2])],
  },
  {
    title: 'Transpose heads',
    opType: 'Transpose',
    inputs: [input([1, 128, 12, 64])],
    attributes: [ints('perm', [0, 2, 1, 3])],
  },
  {
    title: 'Transpose last two',
    opType: 'Transpose',
    inputs: [input([1, 12, 128, 64])],
    attributes: [ints('perm', [0, 1, 3, 2])],
  },
  {
    title: 'Transpose channels last',
    opType: 'Transpose',
    inputs: [IMAGE],
    attributes: [ints('perm', [0, 2, 3, 1])],
  },
  { title: 'Concat', opType: 'Concat', inputs: [IMAGE, IMAGE], attributes: [int('axis', 1)] },
  {
    title: 'Slice',
    opType: 'Slice',
    inputs: [IMAGE, integers([0, 0]), integers([50, 50]), integers([2, 3])],
  },
  {
    title: 'Gather 128 of 8192 x 768',
    opType: 'Gather',
    inputs: [weight([8192, 768]), integers(Array.from({ length: 128 }, (_, index) => (index * 61) % 8192))],
  },
  { title: 'Expand', opType: 'Expand', inputs: [input([1, 1, 128, 128]), integers([1, 12, 128, 128])] },
  {
    title: 'Resize nearest 2x',
    opType: 'Resize',
    inputs: [
      IMAGE,
      { dtype: FLOAT, shape: [0] },
      { dtype: FLOAT, shape: [4], values: (i) => (i < 2 ? 1 : 2) },
    ],
    attributes: [{ name: 'mode', type: 3, s: Buffer.from('nearest') }],
  },
  {
    title: 'Resize linear 2x',
    opType: 'Resize',
    inputs: [
      IMAGE,
      { dtype: FLOAT, shape: [0] },
      { dtype: FLOAT, shape: [4], values: (i) => (i < 2 ? 1 : 2) },
    ],
    attributes: [{ name: 'mode', type: 3, s: Buffer.from('linear') }],
  },
  { title: 'Pad', opType: 'Pad', inputs: [IMAGE, integers([0, 0, 1, 1, 0, 0, 1, 1])] },
  { title: 'TopK 100 of 8192', opType: 'TopK', outputs: 2, inputs: [input([1, 8192]), integers([100])] },
];

/** How often the operator is in its model: one small node would vanish beside the call of ONNX Runtime. */
export const OPERATOR_COPIES = 8;

/** Writes a model with embedded weights. Nodes with an even index are the operator. */
export function writeOperator(file: string, operator: OperatorCase): void {
  const { opType, domain = '', inputs, outputs = 1, attributes = [] } = operator;
  // An input of no elements is an omitted one.
  const names = inputs.map(({ shape }, index) => (shape[0] === 0 ? '' : `x${index}`));
  const copies = Array.from({ length: OPERATOR_COPIES }, (_, copy) => copy);
  const declared = (name: string, elemType: number, shape?: readonly number[]): object => ({
    name,
    type: {
      tensorType: { elemType, ...(shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } }) },
    },
  });
  const named = inputs
    .map((tensor, index) => ({ ...tensor, name: names[index] }))
    .filter(({ name }) => name !== '');
  const graph = {
    name: 'operator',
    // The result stays inside: memory for an output is new in each run, and takes longer to fill than a kernel to compute.
    node: copies.flatMap((copy) => [
      {
        opType,
        domain,
        input: names,
        output: Array.from({ length: outputs }, (_, index) => `y${copy}-${index}`),
        attribute: attributes,
      },
      { opType: 'Shape', input: [`y${copy}-0`], output: [`shape${copy}`] },
    ]),
    initializer: named.flatMap(({ name, dtype, shape, values }) =>
      values === undefined
        ? []
        : [{ name, dataType: dtype, dims: shape, rawData: rawData(dtype, shape, values) }],
    ),
    input: named
      .filter(({ values }) => values === undefined)
      .map(({ name, dtype, shape }) => declared(name, dtype, shape)),
    output: copies.map((copy) => declared(`shape${copy}`, INT64)),
  };
  const opsetImport = [
    { domain: '', version: 17 },
    { domain: 'com.microsoft', version: 1 },
  ];
  fs.writeFileSync(
    file,
    ModelProto.encode(
      ModelProto.create({ irVersion: 8, producerName: 'bench', opsetImport, graph }),
    ).finish(),
  );
}

function rawData(dtype: number, shape: readonly number[], values: (index: number) => number): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = Buffer.alloc(count * BYTES[dtype]);
  for (let index = 0; index < count; index++) {
    const value = values(index);
    if (dtype === FLOAT) bytes.writeFloatLE(value, index * 4);
    else if (dtype === INT64) bytes.writeBigInt64LE(BigInt(value), index * 8);
    else bytes[index] = value;
  }
  return bytes;
}
