/** Models of real shapes with generated weights, each with a layer that is larger than its limit. */
import { type LayerModel, ModelFile } from './model-file';

export interface LayerSubject {
  readonly title: string;
  /** Flags of `sliced-inference slice`. */
  readonly limit: readonly string[];
  write(folder: string): LayerModel;
}

const size = (limit: string): string[] => ['--max-slice-size', limit];

export const SUBJECTS: Readonly<Record<string, LayerSubject>> = {
  vgg: { title: 'VGG-19', limit: size('128MB'), write: vgg },
  'xlm-r': { title: 'XLM-RoBERTa base', limit: size('128MB'), write: xlmRoberta },
  decoder: { title: 'decoder, 2 layers', limit: ['--max-memory', '1024'], write: decoder },
  conv: { title: 'convolutional', limit: size('32MB'), write: convolutional },
  int8: { title: 'int8', limit: size('32MB'), write: int8 },
  '4-bit': { title: '4-bit', limit: size('64MB'), write: fourBit },
};

/** Deviation that keeps the size of activations. */
const he = (fan: number): number => Math.sqrt(2 / fan);

function vgg(folder: string): LayerModel {
  const model = new ModelFile(folder);
  let x = model.input('image', 'float32', [1, 3, 224, 224]);
  let channels = 3;
  for (const [width, layers] of [
    [64, 2],
    [128, 2],
    [256, 4],
    [512, 4],
    [512, 4],
  ]) {
    for (let layer = 0; layer < layers; layer++) {
      x = relu(model, convolution(model, x, channels, width, 3));
      channels = width;
    }
    x = model.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }
  x = model.node('Flatten', [x]);
  const dense = (input: string, from: number, to: number): string =>
    model.node('Gemm', [input, model.floats([to, from], he(from)), model.floats([to], 0.1)], { transB: 1 });
  x = relu(model, dense(x, 25_088, 4096));
  x = relu(model, dense(x, 4096, 4096));
  return model.save('vgg', dense(x, 4096, 1000));
}

function relu(model: ModelFile, x: string): string {
  return model.node('Relu', [x]);
}

function convolution(model: ModelFile, x: string, from: number, to: number, kernel: number): string {
  const weights = [model.floats([to, from, kernel, kernel], he(from * kernel ** 2)), model.floats([to], 0.1)];
  return model.node('Conv', [x, ...weights], { pads: Array.from({ length: 4 }, () => (kernel - 1) / 2) });
}

interface Transformer {
  readonly hidden: number;
  readonly tokens: number;
  readonly heads: number;
}

function xlmRoberta(folder: string): LayerModel {
  const model = new ModelFile(folder);
  const shape = { hidden: 768, tokens: 128, heads: 12 };
  const ids = model.input('ids', 'int64', [1, shape.tokens]);
  const given = model.node('Cast', [model.input('mask', 'int64', [1, shape.tokens])], { to: 1 });
  const isPadding = model.node('Sub', [model.constant('float32', [1]), given]);
  const wide = model.node('Unsqueeze', [isPadding, model.constant('int64', [1, 2])]);
  const mask = model.node('Mul', [wide, model.constant('float32', [-10_000])]);
  const positions = model.constant('int64', [...Array(shape.tokens).keys()]);
  const embedded = model.node('Gather', [model.floats([250_002, shape.hidden], 1), ids]);
  const placed = model.node('Gather', [model.floats([514, shape.hidden], 1), positions]);
  let x = normalized(model, model.node('Add', [embedded, placed]), shape);
  for (let layer = 0; layer < 12; layer++) {
    x = normalized(model, model.node('Add', [x, attention(model, x, shape, mask)]), shape);
    x = normalized(model, model.node('Add', [x, feedForward(model, x, shape)]), shape);
  }
  return model.save('xlm-r', model.node('Identity', [x]));
}

function decoder(folder: string): LayerModel {
  const model = new ModelFile(folder);
  const shape = { hidden: 2560, tokens: 16, heads: 20 };
  const vocabulary = 256_000;
  const ids = model.input('ids', 'int64', [1, shape.tokens]);
  let x = model.node('Gather', [model.floats([vocabulary, shape.hidden], 1), ids]);
  for (let layer = 0; layer < 2; layer++) {
    x = model.node('Add', [x, attention(model, normalized(model, x, shape), shape)]);
    x = model.node('Add', [x, feedForward(model, normalized(model, x, shape), shape)]);
  }
  const last = normalized(model, x, shape);
  return model.save('decoder', model.node('MatMul', [last, model.floats([shape.hidden, vocabulary], 0.02)]));
}

function normalized(model: ModelFile, x: string, { hidden }: Transformer): string {
  return model.node('LayerNormalization', [x, model.floats([hidden], 1), model.floats([hidden], 0.1)]);
}

function linear(model: ModelFile, x: string, from: number, to: number): string {
  const product = model.node('MatMul', [x, model.floats([from, to], from ** -0.5)]);
  return model.node('Add', [product, model.floats([to], 0.1)]);
}

function attention(model: ModelFile, x: string, shape: Transformer, mask?: string): string {
  const { hidden, tokens, heads } = shape;
  const split = model.constant('int64', [1, tokens, heads, hidden / heads]);
  const turned = (value: string, ...perm: number[]): string => model.node('Transpose', [value], { perm });
  const ofHeads = (...perm: number[]): string =>
    turned(model.node('Reshape', [linear(model, x, hidden, hidden), split]), ...perm);
  const product = model.node('MatMul', [ofHeads(0, 2, 1, 3), ofHeads(0, 2, 3, 1)]);
  const scores = model.node('Mul', [product, model.constant('float32', [(hidden / heads) ** -0.5])]);
  const shares = model.node('Softmax', [mask === undefined ? scores : model.node('Add', [scores, mask])]);
  const mixed = turned(model.node('MatMul', [shares, ofHeads(0, 2, 1, 3)]), 0, 2, 1, 3);
  const joined = model.node('Reshape', [mixed, model.constant('int64', [1, tokens, hidden])]);
  return linear(model, joined, hidden, hidden);
}

function feedForward(model: ModelFile, x: string, { hidden }: Transformer): string {
  return linear(model, model.node('Gelu', [linear(model, x, hidden, 4 * hidden)]), 4 * hidden, hidden);
}

function convolutional(folder: string): LayerModel {
  const model = new ModelFile(folder);
  const image = model.input('image', 'float32', [1, 64, 28, 28]);
  const wide = relu(model, convolution(model, image, 64, 1024, 3));
  const wider = relu(model, convolution(model, wide, 1024, 3072, 3));
  const mixed = relu(model, convolution(model, wider, 3072, 4096, 1));
  const kernels = model.floats([4096, 1024, 2, 2], he(4096));
  const up = model.node('ConvTranspose', [mixed, kernels], { strides: [2, 2] });
  return model.save('conv', model.node('GlobalAveragePool', [up]));
}

function int8(folder: string): LayerModel {
  const model = new ModelFile(folder);
  const x = model.input('x', 'float32', [32, 4096]);
  const [low, scale, zero] = model.outputsOf('DynamicQuantizeLinear', [x], {}, 3);
  const zeros = model.constant('int8', [0], true);
  const sums = model.node('MatMulInteger', [low, model.bytes('int8', [4096, 32_768]), zero, zeros]);
  const scaled = model.node('Mul', [model.node('Cast', [sums], { to: 1 }), scale]);
  const factor = (value: number): string => model.constant('float32', [value], true);
  const signed = model.constant('uint8', [128], true);
  const wide = [model.bytes('uint8', [32_768, 2048]), factor(1e-4), signed];
  const mixed = model.node('com.microsoft.DynamicQuantizeMatMul', [scaled, ...wide]);
  const [again, ownScale, ownZero] = model.outputsOf('DynamicQuantizeLinear', [mixed], {}, 3);
  const weight = [model.bytes('uint8', [2048, 32_768]), factor(1e-4), signed];
  const product = model.node('QLinearMatMul', [again, ownScale, ownZero, ...weight, factor(1), signed]);
  return model.save('int8', model.node('DequantizeLinear', [product, factor(1), signed]));
}

function fourBit(folder: string): LayerModel {
  const model = new ModelFile(folder);
  const [from, to, block] = [4096, 65_536, 32];
  const x = model.input('x', 'float32', [8, from]);
  const weight = model.bytes('uint8', [to, from / block, block / 2]);
  const scales = model.floats([(to * from) / block], 1e-3);
  const sizes = { K: from, N: to, bits: 4, block_size: block };
  return model.save('4-bit', model.node('com.microsoft.MatMulNBits', [x, weight, scales], sizes));
}
