/** Builds ONNX graphs in code, with pseudo-random weights. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from './onnx-schema';

export const FLOAT = 1;
export const INT64 = 7;

/** AttributeProto.AttributeType of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const ATTRIBUTE = { int: 2, string: 3, ints: 7 } as const;

/** TensorProto.DataLocation */
const EXTERNAL = 1;

/** About the magnitude of trained weights: sums over a thousand of them neither vanish nor overflow. */
const WEIGHT_SCALE = 0.05;

/** Is prime, so that weights do not repeat soon. */
const POOL_FLOATS = 1_000_003;

type Dims = readonly (number | string)[];
type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

interface GraphOptions {
  /** File of the weights; without it, they are embedded. */
  readonly weights?: string;
}

export class GraphBuilder {
  private readonly nodes: object[] = [];
  private readonly initializers: object[] = [];
  private readonly inputs: object[] = [];
  private readonly outputs: object[] = [];
  /** By scale. */
  private readonly pools = new Map<number, Buffer>();
  private readonly weights: { readonly location: string; readonly descriptor: number } | undefined;
  private offset = 0;
  private from = 0;
  private names = 0;

  constructor({ weights }: GraphOptions = {}) {
    if (weights !== undefined)
      this.weights = { location: path.basename(weights), descriptor: fs.openSync(weights, 'w') };
  }

  input(name: string, elemType: number, dims: Dims): string {
    this.inputs.push(declared(name, elemType, dims));
    return name;
  }

  output(name: string, elemType: number, dims: Dims): void {
    this.outputs.push(declared(name, elemType, dims));
  }

  /** Adds a node with one output and returns the output's name. */
  node(opType: string, input: readonly string[], attributes: Attributes = {}, name = this.fresh()): string {
    const attribute = Object.entries(attributes).map(([key, value]) => encoded(key, value));
    this.nodes.push({ name: `${opType}_${name}`, opType, input, output: [name], attribute });
    return name;
  }

  private fresh(): string {
    return `v${this.names++}`;
  }

  floats(dims: readonly number[], scale = WEIGHT_SCALE): string {
    const pool = this.pools.get(scale) ?? Buffer.from(uniform(POOL_FLOATS, scale).buffer);
    this.pools.set(scale, pool);
    return this.constant(FLOAT, dims, this.filled(4 * elementsOf(dims), pool));
  }

  scalar(value: number): string {
    return this.embedded(FLOAT, [], new Uint8Array(Float32Array.of(value).buffer));
  }

  integers(values: readonly number[]): string {
    return this.embedded(INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  write(file: string): void {
    if (this.weights !== undefined) fs.closeSync(this.weights.descriptor);
    const { nodes: node, initializers: initializer, inputs: input, outputs: output } = this;
    const model = ModelProto.create({
      irVersion: 9,
      producerName: 'bench',
      opsetImport: [{ domain: '', version: 17 }],
      graph: { name: 'bench', node, initializer, input, output },
    });
    fs.writeFileSync(file, ModelProto.encode(model).finish());
  }

  /** Each weight comes from another position in the pool, so no two are equal. */
  private filled(length: number, pool: Buffer): Buffer {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length;) {
      const copied = pool.copy(bytes, at, this.from % pool.length);
      at += copied;
      this.from += copied;
    }
    return bytes;
  }

  private constant(dataType: number, dims: readonly number[], bytes: Buffer): string {
    if (this.weights === undefined) return this.embedded(dataType, dims, bytes);
    const { location, descriptor } = this.weights;
    for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at);
    const entries = { location, offset: String(this.offset), length: String(bytes.length) };
    this.offset += bytes.length;
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    return this.initializer({ dataType, dims, dataLocation: EXTERNAL, externalData });
  }

  private embedded(dataType: number, dims: readonly number[], rawData: Uint8Array): string {
    return this.initializer({ dataType, dims, rawData });
  }

  private initializer(fields: object): string {
    const name = `w${this.initializers.length}`;
    this.initializers.push({ name, ...fields });
    return name;
  }
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** From -scale to scale. Constants from https://en.wikipedia.org/wiki/Linear_congruential_generator */
function uniform(count: number, scale: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}

function declared(name: string, elemType: number, dims: Dims): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function encoded(name: string, value: Attributes[string]): object {
  if (typeof value === 'number') return { name, type: ATTRIBUTE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE.string, s: Buffer.from(value) };
  return { name, type: ATTRIBUTE.ints, ints: value };
}
