/** Generates a transformer encoder like BERT, the main model of the runtime benchmarks. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../onnx-schema';

export interface TransformerShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly sequence: number;
}

/** 24 layers of 1,024: 1.3 GB of float32. https://arxiv.org/abs/1810.04805 */
export const BERT_LARGE: TransformerShape = {
  layers: 24,
  hidden: 1024,
  heads: 16,
  vocabulary: 30_522,
  sequence: 128,
};

const FLOAT = 1;
const INT64 = 7;
const EXTERNAL = 1;

/** About the magnitude of trained weights: sums over a thousand of them neither vanish nor overflow. */
const WEIGHT_SCALE = 0.05;

/** Writes the model with external data. Input `ids` is int64[1,sequence], output `hidden` float32[1,sequence,hidden]. */
export function writeTransformer(file: string, shape: TransformerShape): void {
  const weights = new WeightFile(`${file}.data`);
  const builder = new EncoderBuilder(weights);
  const graph = builder.graph(shape);
  weights.close();
  const model = ModelProto.create({
    irVersion: 9,
    producerName: 'bench',
    opsetImport: [{ domain: '', version: 17 }],
    graph,
  });
  fs.writeFileSync(file, ModelProto.encode(model).finish());
}

class EncoderBuilder {
  private readonly nodes: object[] = [];
  private readonly initializers: object[] = [];

  constructor(private readonly weights: WeightFile) {}

  graph({ layers, hidden, heads, vocabulary, sequence }: TransformerShape): object {
    this.integers('to_heads', [0, 0, heads, hidden / heads]);
    this.integers('from_heads', [0, 0, hidden]);
    this.scalar('scale', Math.sqrt(heads / hidden));
    this.scalar('half', 0.5);
    this.scalar('one', 1);
    this.scalar('root', Math.SQRT1_2);
    const words = this.node('Gather', [this.weight('words', [vocabulary, hidden]), 'ids'], 'word');
    const placed = this.node('Add', [words, this.weight('positions', [1, sequence, hidden])], 'placed');
    let x = this.normalized(placed, hidden, 'embedded');
    for (let layer = 0; layer < layers; layer++) x = this.layer(`l${layer}`, x, hidden);
    this.node('Identity', [x], 'hidden');
    return {
      name: 'encoder',
      node: this.nodes,
      initializer: this.initializers,
      input: [declared('ids', INT64, [1, sequence])],
      output: [declared('hidden', FLOAT, [1, sequence, hidden])],
    };
  }

  private layer(name: string, x: string, hidden: number): string {
    const heads = (part: string, perm: number[]): string => {
      const projected = this.linear(x, [hidden, hidden], `${name}_${part}`);
      const split = this.node('Reshape', [projected, 'to_heads'], `${name}_${part}_split`);
      return this.node('Transpose', [split], `${name}_${part}_heads`, [integerList('perm', perm)]);
    };
    const [q, k, v] = [heads('q', [0, 2, 1, 3]), heads('k', [0, 2, 3, 1]), heads('v', [0, 2, 1, 3])];
    const scores = this.node('MatMul', [q, k], `${name}_scores`);
    const scaled = this.node('Mul', [scores, 'scale'], `${name}_scaled`);
    const attention = this.node('Softmax', [scaled], `${name}_attention`, [integer('axis', -1)]);
    const mixed = this.node('MatMul', [attention, v], `${name}_mixed`);
    const turned = this.node('Transpose', [mixed], `${name}_turned`, [integerList('perm', [0, 2, 1, 3])]);
    const joined = this.node('Reshape', [turned, 'from_heads'], `${name}_joined`);
    const attended = this.linear(joined, [hidden, hidden], `${name}_o`);
    const residual = this.node('Add', [attended, x], `${name}_residual`);
    const middle = this.normalized(residual, hidden, `${name}_middle`);
    const wide = this.gelu(this.linear(middle, [hidden, 4 * hidden], `${name}_up`), name);
    const narrow = this.linear(wide, [4 * hidden, hidden], `${name}_down`);
    const summed = this.node('Add', [narrow, middle], `${name}_sum`);
    return this.normalized(summed, hidden, `${name}_out`);
  }

  private linear(x: string, dims: readonly [number, number], name: string): string {
    const product = this.node('MatMul', [x, this.weight(`${name}_w`, dims)], `${name}_product`);
    return this.node('Add', [product, this.weight(`${name}_b`, [dims[1]])], name);
  }

  private gelu(x: string, name: string): string {
    const turned = this.node('Mul', [x, 'root'], `${name}_gelu_in`);
    const erf = this.node('Erf', [turned], `${name}_erf`);
    const shifted = this.node('Add', [erf, 'one'], `${name}_erf_one`);
    const halved = this.node('Mul', [shifted, 'half'], `${name}_erf_half`);
    return this.node('Mul', [x, halved], `${name}_gelu`);
  }

  private normalized(x: string, hidden: number, name: string): string {
    const scale = this.weight(`${name}_scale`, [hidden]);
    const bias = this.weight(`${name}_bias`, [hidden]);
    return this.node('LayerNormalization', [x, scale, bias], name, [integer('axis', -1)]);
  }

  private node(opType: string, input: readonly string[], output: string, attribute: object[] = []): string {
    this.nodes.push({ name: `${opType}_${output}`, opType, input, output: [output], attribute });
    return output;
  }

  private weight(name: string, dims: readonly number[]): string {
    const externalData = this.weights.add(dims.reduce((product, size) => product * size, 1));
    this.initializers.push({ name, dataType: FLOAT, dims, dataLocation: EXTERNAL, externalData });
    return name;
  }

  private scalar(name: string, value: number): void {
    const rawData = new Uint8Array(Float32Array.of(value).buffer);
    this.initializers.push({ name, dataType: FLOAT, dims: [], rawData });
  }

  private integers(name: string, values: readonly number[]): void {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.initializers.push({ name, dataType: INT64, dims: [values.length], rawData });
  }
}

/** Writes a file of pseudo-random floats. Each weight comes from another position in one pool, so no two are equal. */
class WeightFile {
  private readonly descriptor: number;
  private readonly pool: Buffer;
  private position = 0;
  private from = 0;

  constructor(private readonly file: string) {
    this.descriptor = fs.openSync(file, 'w');
    // The number of floats is prime, so positions in the pool do not repeat soon.
    this.pool = Buffer.from(uniform(1_000_003).buffer);
  }

  add(floats: number): object[] {
    const start = this.position;
    for (let missing = floats * 4; missing > 0;) {
      const piece = this.pool.subarray(this.from, this.from + missing);
      const written = fs.writeSync(this.descriptor, piece);
      this.from = (this.from + written) % this.pool.byteLength;
      this.position += written;
      missing -= written;
    }
    const entries = { location: path.basename(this.file), offset: String(start), length: String(floats * 4) };
    return Object.entries(entries).map(([key, value]) => ({ key, value }));
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

/** Deterministic, uniform around 0. Constants from https://en.wikipedia.org/wiki/Linear_congruential_generator */
function uniform(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * WEIGHT_SCALE;
  });
}

function declared(name: string, elemType: number, dims: readonly number[]): object {
  const dim = dims.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** AttributeProto.AttributeType of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

function integer(name: string, value: number): object {
  return { name, type: ATTRIBUTE_INT, i: value };
}

function integerList(name: string, values: readonly number[]): object {
  return { name, type: ATTRIBUTE_INTS, ints: values };
}
