/** Generates models whose weights are a sparse file: planning reads only their sizes. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../bench/onnx-schema';

const FLOAT = 1;
const INT64 = 7;
const EXTERNAL = 1;
/** AttributeProto.AttributeType of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;

export interface EncoderShape {
  readonly layers: number;
  readonly hidden: number;
  readonly sequence: number;
  readonly vocabulary: number;
}

/** A transformer encoder on ids of int64[1,sequence], with one attention head. */
export function writeEncoder(file: string, { layers, hidden, sequence, vocabulary }: EncoderShape): void {
  const graph = new GraphWriter(file);
  graph.input('ids', INT64, [1, sequence]);
  const weight = (dims: readonly number[]): string => graph.weight(dims);
  const linear = (x: string, from: number, to: number): string =>
    graph.node('Add', [graph.node('MatMul', [x, weight([from, to])]), weight([to])]);
  const norm = (x: string): string =>
    graph.node('LayerNormalization', [x, weight([hidden]), weight([hidden])]);
  let x = norm(graph.node('Gather', [weight([vocabulary, hidden]), 'ids']));
  for (let layer = 0; layer < layers; layer++) {
    const [q, k, v] = [0, 1, 2].map(() => linear(x, hidden, hidden));
    const turned = graph.node('Transpose', [k], [ints('perm', [0, 2, 1])]);
    const attention = graph.node('Softmax', [graph.node('MatMul', [q, turned])], [int('axis', -1)]);
    const mixed = linear(graph.node('MatMul', [attention, v]), hidden, hidden);
    const middle = norm(graph.node('Add', [mixed, x]));
    const wide = graph.node('Relu', [linear(middle, hidden, 4 * hidden)]);
    x = norm(graph.node('Add', [linear(wide, 4 * hidden, hidden), middle]));
  }
  graph.finish(x, FLOAT);
}

/** Three bidirectional LSTMs of 512 units on 1,000 steps of 80 features, and a vocabulary of 8,000. */
export function writeBidirectionalLstm(file: string): void {
  const [steps, features, hidden, vocabulary] = [1000, 80, 512, 8000];
  const graph = new GraphWriter(file);
  graph.input('x', FLOAT, [steps, 1, features]);
  let x = graph.node('Mul', [graph.node('Sub', ['x', graph.weight([features])]), graph.weight([features])]);
  let width = features;
  const joined = graph.integers([steps, 1, 2 * hidden]);
  for (let layer = 0; layer < 3; layer++) {
    const weights = [
      graph.weight([2, 4 * hidden, width]),
      graph.weight([2, 4 * hidden, hidden]),
      graph.weight([2, 8 * hidden]),
    ];
    const y = graph.node(
      'LSTM',
      [x, ...weights],
      [text('direction', 'bidirectional'), int('hidden_size', hidden)],
    );
    const turned = graph.node('Transpose', [y], [ints('perm', [0, 2, 1, 3])]);
    x = graph.node('Reshape', [turned, joined]);
    width = 2 * hidden;
  }
  const logits = graph.node('MatMul', [x, graph.weight([width, vocabulary])]);
  const biased = graph.node('Add', [logits, graph.weight([vocabulary])]);
  const probabilities = graph.node('LogSoftmax', [biased], [int('axis', -1)]);
  graph.finish(graph.node('ArgMax', [probabilities], [int('axis', -1), int('keepdims', 0)]), INT64);
}

class GraphWriter {
  private readonly nodes: object[] = [];
  private readonly initializers: object[] = [];
  private readonly inputs: object[] = [];
  private bytes = 0;
  private names = 0;

  constructor(private readonly file: string) {}

  input(name: string, elemType: number, dims: readonly number[]): void {
    this.inputs.push(declared(name, elemType, dims));
  }

  node(opType: string, input: readonly string[], attribute: readonly object[] = []): string {
    const output = `v${this.names++}`;
    this.nodes.push({ name: `${opType}_${output}`, opType, input, output: [output], attribute });
    return output;
  }

  weight(dims: readonly number[]): string {
    const name = `w${this.names++}`;
    const length = dims.reduce((product, size) => product * size, 4);
    const entries = {
      location: `${path.basename(this.file)}.data`,
      offset: String(this.bytes),
      length: String(length),
    };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    this.bytes += length;
    this.initializers.push({ name, dataType: FLOAT, dims, dataLocation: EXTERNAL, externalData });
    return name;
  }

  integers(values: readonly number[]): string {
    const name = `n${this.names++}`;
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializers.push({ name, dataType: INT64, dims: [values.length], rawData });
    return name;
  }

  finish(output: string, elemType: number): void {
    const data = `${this.file}.data`;
    fs.writeFileSync(data, '');
    fs.truncateSync(data, this.bytes);
    const graph = {
      name: 'generated',
      node: this.nodes,
      initializer: this.initializers,
      input: this.inputs,
      output: [{ name: output, type: { tensorType: { elemType } } }],
    };
    const opsetImport = [{ domain: '', version: 17 }];
    const model = ModelProto.create({ irVersion: 9, producerName: 'bench', opsetImport, graph });
    fs.writeFileSync(this.file, ModelProto.encode(model).finish());
  }
}

function declared(name: string, elemType: number, dims: readonly number[]): object {
  return { name, type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } } };
}

function int(name: string, i: number): object {
  return { name, type: ATTRIBUTE_INT, i };
}

function ints(name: string, values: readonly number[]): object {
  return { name, type: ATTRIBUTE_INTS, ints: values };
}

function text(name: string, value: string): object {
  return { name, type: ATTRIBUTE_STRING, s: Buffer.from(value) };
}
