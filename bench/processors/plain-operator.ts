/** Random models of one operator without weights, from `x` to `y`: those that models use besides products and convolutions. */
import type { NumericTensor } from '../../lambda/tensors/tensor';
import { ONNX_FLOAT } from '../../lib/onnx/data-type';
import { ModelProto } from '../onnx-schema';
import type { Random } from '../split/random';

const SEPARATE = 'Abs Elu Erf Exp HardSigmoid LeakyRelu Reciprocal Relu Sigmoid Sin Softplus Softsign Tanh';
const BY_ROW = 'CumSum LogSoftmax ReduceL2 ReduceMax ReduceMean ReduceSum Softmax';
const OF_IMAGES = 'AveragePool GlobalAveragePool MaxPool';
const MICROSOFT = 'FastGelu Gelu QuickGelu';

export const PLAIN_KINDS = `${SEPARATE} ${BY_ROW} ${OF_IMAGES} ${MICROSOFT}`.split(' ').sort();

export function plainOperator(opType: string, random: Random) {
  const isOfImage = OF_IMAGES.includes(opType);
  const size = random.pick([7, 14, 28]);
  const dims = isOfImage
    ? [1, random.int(1, 64), size, size]
    : [random.pick([1, 3, 16]), random.int(1, 2000)];
  const length = dims.reduce((a, b) => a * b);
  const bytes = random.bytes('float32', length, { isWide: random.pick([false, true]) });
  const x: NumericTensor = { dtype: 'float32', shape: dims, bytes };
  const domain = MICROSOFT.includes(opType) ? 'com.microsoft' : '';
  const attribute = /^(Average|Max)Pool$/.test(opType)
    ? [{ name: 'kernel_shape', ints: [3, 3], type: 7 }]
    : [];
  const axis = opType === 'CumSum' ? ['axis'] : [];
  const elemType = ONNX_FLOAT;
  const shape = { dim: dims.map((dimValue) => ({ dimValue })) };
  const graph = {
    ...{ name: 'operator', input: [{ name: 'x', type: { tensorType: { elemType, shape } } }] },
    node: [{ opType, domain, attribute, input: ['x', ...axis], output: ['y'] }],
    initializer: axis.map((name) => ({
      name,
      dataType: 7,
      dims: [1],
      rawData: Buffer.from('0100000000000000', 'hex'),
    })),
    output: [{ name: 'y', type: { tensorType: { elemType } } }],
  };
  const opsetImport = [
    { domain: '', version: 17 },
    { domain: 'com.microsoft', version: 1 },
  ];
  return { x, model: ModelProto.encode(ModelProto.create({ irVersion: 9, opsetImport, graph })).finish() };
}
