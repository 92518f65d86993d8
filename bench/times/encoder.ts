/** Writes an encoder in the shape of BERT's, with attention and GELU in single operators as PyTorch exports them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BenchModel } from '../inputs';
import { ModelProto } from '../onnx-schema';

export interface EncoderShape {
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  /** Rows of the table of embeddings. */
  readonly vocabulary: number;
}

export const DISTILBERT: EncoderShape = { name: 'DistilBERT', layers: 6, hidden: 768, vocabulary: 31_000 };
export const BERT_LARGE: EncoderShape = { name: 'BERT-large', layers: 24, hidden: 1024, vocabulary: 31_000 };

const HEAD = 64;
const WIDENING = 4;
const [FLOAT, INT64] = [1, 7];

/** @param folder for its files */
export function writeEncoder(folder: string, shape: EncoderShape): Omit<BenchModel, 'dimensions'> {
  const { name, layers, hidden, vocabulary } = shape;
  const location = `${name}.weights`;
  const initializer: object[] = [];
  const file = fs.openSync(path.join(folder, location), 'w');
  let offset = 0;
  // All blocks differ: ONNX Runtime packs equal weights once.
  const weight = (own: string, ...dims: readonly number[]): string => {
    const length = dims.reduce((product, size) => product * size, 1);
    const seed = initializer.length;
    const data = Float32Array.from({ length }, (_, index) => (((index + seed) * 7919) % 199) / 1990 - 0.05);
    const bytes = new Uint8Array(data.buffer);
    const entries = { location, offset: String(offset), length: String(bytes.length) };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    initializer.push({ name: own, dataType: FLOAT, dims, externalData, dataLocation: 1 });
    fs.writeSync(file, bytes);
    offset += bytes.length;
    return own;
  };
  const scalar = (own: string, value: number): string => {
    initializer.push({ name: own, dataType: FLOAT, dims: [], floatData: [value] });
    return own;
  };
  const integers = (own: string, ...values: readonly number[]): string => {
    initializer.push({ name: own, dataType: INT64, dims: [values.length], int64Data: values });
    return own;
  };
  const node: object[] = [];
  let next = 0;
  const add = (opType: string, input: readonly string[], attribute: readonly object[] = []): string => {
    const output = `t${next++}`;
    node.push({ opType, input, output: [output], attribute });
    return output;
  };
  const linear = (x: string, own: string, from: number, to: number): string =>
    add('Add', [add('MatMul', [x, weight(`${own}.w`, from, to)]), weight(`${own}.b`, to)]);
  const norm = (x: string, own: string): string =>
    add('LayerNormalization', [x, weight(`${own}.g`, hidden), weight(`${own}.o`, hidden)]);
  const [split, merged] = [integers('split', 0, 0, hidden / HEAD, HEAD), integers('merged', 0, 0, hidden)];
  const [scale, root, one, half] = [
    scalar('scale', Math.sqrt(HEAD)),
    scalar('root', Math.SQRT2),
    scalar('one', 1),
    scalar('half', 0.5),
  ];
  const heads = (x: string, perm: readonly number[]): string =>
    add('Transpose', [add('Reshape', [x, split])], [{ name: 'perm', ints: perm, type: 7 }]);

  let x = norm(add('Gather', [weight('embeddings', vocabulary, hidden), 'ids']), 'first');
  for (let layer = 0; layer < layers; layer++) {
    const own = (part: string): string => `${layer}.${part}`;
    const [q, k, v] = ['q', 'k', 'v'].map((part) => linear(x, own(part), hidden, hidden));
    const scores = add('Div', [add('MatMul', [heads(q, [0, 2, 1, 3]), heads(k, [0, 2, 3, 1])]), scale]);
    const mixed = add('MatMul', [
      add('Softmax', [scores], [{ name: 'axis', i: -1, type: 2 }]),
      heads(v, [0, 2, 1, 3]),
    ]);
    const back = add('Transpose', [mixed], [{ name: 'perm', ints: [0, 2, 1, 3], type: 7 }]);
    const attended = linear(add('Reshape', [back, merged]), own('out'), hidden, hidden);
    x = norm(add('Add', [x, attended]), own('n1'));
    const wide = linear(x, own('wide'), hidden, WIDENING * hidden);
    const gelu = add('Add', [add('Erf', [add('Div', [wide, root])]), one]);
    const active = add('Mul', [add('Mul', [wide, gelu]), half]);
    x = norm(add('Add', [x, linear(active, own('narrow'), WIDENING * hidden, hidden)]), own('n2'));
  }
  fs.closeSync(file);
  const dim = [{ dimValue: 1 }, { dimParam: 'tokens' }];
  const graph = {
    ...{ name: 'encoder', node, initializer },
    input: [{ name: 'ids', type: { tensorType: { elemType: INT64, shape: { dim } } } }],
    output: [{ name: x, type: { tensorType: { elemType: FLOAT } } }],
  };
  const model = path.join(folder, `${name}.onnx`);
  const message = ModelProto.create({ irVersion: 8, opsetImport: [{ version: 17 }], graph });
  fs.writeFileSync(model, ModelProto.encode(message).finish());
  return { name, file: model };
}
