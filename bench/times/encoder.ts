/**
 * Writes an encoder in the shape of BERT's, with attention and GELU in single operators as PyTorch exports them. Its weights are zeros in a
 * sparse file.
 */
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

/** The graph of one model, and its weights, which it writes into a file beside the model. */
class EncoderFile {
  readonly node: object[] = [];
  readonly initializer: object[] = [];
  private offset = 0;

  constructor(
    private readonly folder: string,
    private readonly location: string,
  ) {}

  add(opType: string, input: readonly string[], attribute: readonly object[] = []): string {
    const output = `t${this.node.length}`;
    this.node.push({ opType, input, output: [output], attribute });
    return output;
  }

  weight(name: string, ...dims: readonly number[]): string {
    const { location, offset, initializer } = this;
    const bytes = dims.reduce((product, size) => product * size, 4);
    const entries = { location, offset: String(offset), length: String(bytes) };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    initializer.push({ name, dataType: FLOAT, dims, externalData, dataLocation: 1 });
    this.offset += bytes;
    return name;
  }

  scalar(name: string, value: number): string {
    this.initializer.push({ name, dataType: FLOAT, dims: [], floatData: [value] });
    return name;
  }

  integers(name: string, ...values: readonly number[]): string {
    this.initializer.push({ name, dataType: INT64, dims: [values.length], int64Data: values });
    return name;
  }

  linear(x: string, name: string, from: number, to: number): string {
    const product = this.add('MatMul', [x, this.weight(`${name}.w`, from, to)]);
    return this.add('Add', [product, this.weight(`${name}.b`, to)]);
  }

  norm(x: string, name: string, hidden: number): string {
    return this.add('LayerNormalization', [
      x,
      this.weight(`${name}.g`, hidden),
      this.weight(`${name}.o`, hidden),
    ]);
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.add('Transpose', [x], [{ name: 'perm', ints: perm, type: 7 }]);
  }

  writeWeights(): void {
    const file = path.join(this.folder, this.location);
    fs.writeFileSync(file, '');
    fs.truncateSync(file, this.offset);
  }
}

function attention(graph: EncoderFile, x: string, layer: number, hidden: number): string {
  const [q, k, v] = ['q', 'k', 'v'].map((part) => {
    const projected = graph.linear(x, `${layer}.${part}`, hidden, hidden);
    const heads = graph.add('Reshape', [projected, 'split']);
    return graph.transpose(heads, part === 'k' ? [0, 2, 3, 1] : [0, 2, 1, 3]);
  });
  const scores = graph.add('Div', [graph.add('MatMul', [q, k]), 'scale']);
  const weights = graph.add('Softmax', [scores], [{ name: 'axis', i: -1, type: 2 }]);
  const mixed = graph.transpose(graph.add('MatMul', [weights, v]), [0, 2, 1, 3]);
  return graph.linear(graph.add('Reshape', [mixed, 'merged']), `${layer}.out`, hidden, hidden);
}

function feedForward(graph: EncoderFile, x: string, layer: number, hidden: number): string {
  const wide = graph.linear(x, `${layer}.wide`, hidden, WIDENING * hidden);
  const gelu = graph.add('Add', [graph.add('Erf', [graph.add('Div', [wide, 'root'])]), 'one']);
  const active = graph.add('Mul', [graph.add('Mul', [wide, gelu]), 'half']);
  return graph.linear(active, `${layer}.narrow`, WIDENING * hidden, hidden);
}

/** @param folder for its files */
export function writeEncoder(folder: string, shape: EncoderShape): Omit<BenchModel, 'dimensions'> {
  const { name, layers, hidden, vocabulary } = shape;
  const encoder = new EncoderFile(folder, `${name}.weights`);
  encoder.integers('split', 0, 0, hidden / HEAD, HEAD);
  encoder.integers('merged', 0, 0, hidden);
  const scalars = { scale: Math.sqrt(HEAD), root: Math.SQRT2, one: 1, half: 0.5 };
  for (const [own, value] of Object.entries(scalars)) encoder.scalar(own, value);
  const embedded = encoder.add('Gather', [encoder.weight('embeddings', vocabulary, hidden), 'ids']);
  let x = encoder.norm(embedded, 'first', hidden);
  for (let layer = 0; layer < layers; layer++) {
    x = encoder.norm(encoder.add('Add', [x, attention(encoder, x, layer, hidden)]), `${layer}.first`, hidden);
    x = encoder.norm(
      encoder.add('Add', [x, feedForward(encoder, x, layer, hidden)]),
      `${layer}.last`,
      hidden,
    );
  }
  encoder.writeWeights();
  const dim = [{ dimValue: 1 }, { dimParam: 'tokens' }];
  const graph = {
    ...{ name: 'encoder', node: encoder.node, initializer: encoder.initializer },
    input: [{ name: 'ids', type: { tensorType: { elemType: INT64, shape: { dim } } } }],
    output: [{ name: x, type: { tensorType: { elemType: FLOAT } } }],
  };
  const model = path.join(folder, `${name}.onnx`);
  const message = ModelProto.create({ irVersion: 8, opsetImport: [{ version: 17 }], graph });
  fs.writeFileSync(model, ModelProto.encode(message).finish());
  return { name, file: model };
}
