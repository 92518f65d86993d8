/** Operators with inputs and weights of realistic sizes. */
import type { OperatorCase } from './operator-tensors';
import { FLOAT, UINT8, INT8, input, weight, scalar, integers, int, ints } from './operator-tensors';

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
