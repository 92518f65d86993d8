/** Builds ONNX graphs in code, with embedded pseudo-random weights. */
import * as fs from 'node:fs';
import { ModelProto } from '../onnx-schema';

export const FLOAT = 1;
export const INT8 = 3;
export const INT32 = 6;
export const INT64 = 7;

/** The domain of ONNX Runtime's own operators. */
const CONTRIBUTED = 'com.microsoft';

/** AttributeProto.AttributeType of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** About the magnitude of trained weights: sums over a thousand of them neither vanish nor overflow. */
const WEIGHT_SCALE = 0.05;

type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export class GraphBuilder {
  private readonly nodes: object[] = [];
  private readonly initializers: object[] = [];
  private readonly inputs: object[] = [];
  private readonly outputs: object[] = [];
  private names = 0;

  input(name: string, elemType: number, dims: readonly (number | string)[]): string {
    this.inputs.push(declared(name, elemType, dims));
    return name;
  }

  output(name: string, elemType: number, dims: readonly (number | string)[]): void {
    this.outputs.push(declared(name, elemType, dims));
  }

  /** Adds a node with one output and returns the output's name. */
  node(opType: string, input: readonly string[], attributes: Attributes = {}, name = this.fresh()): string {
    return this.nodeOf(opType, input, [name], attributes)[0];
  }

  /** Adds a node of an operator that ONNX Runtime contributes, with one output. */
  contributed(opType: string, input: readonly string[], attributes: Attributes = {}): string {
    return this.nodeOf(opType, input, [this.fresh()], attributes, CONTRIBUTED)[0];
  }

  /** Adds a node with the given outputs. */
  nodeOf(
    opType: string,
    input: readonly string[],
    output: readonly string[],
    attributes: Attributes = {},
    domain = '',
  ): readonly string[] {
    const attribute = Object.entries(attributes).map(([name, value]) => encoded(name, value));
    this.nodes.push({ name: `${opType}_${output[0]}`, opType, domain, input, output, attribute });
    return output;
  }

  fresh(): string {
    return `v${this.names++}`;
  }

  floats(dims: readonly number[], scale = WEIGHT_SCALE): string {
    const values = new Float32Array(elementsOf(dims));
    const random = randomOf(this.initializers.length + 1);
    for (let index = 0; index < values.length; index++) values[index] = random() * scale;
    return this.constant(FLOAT, dims, new Uint8Array(values.buffer));
  }

  int8(dims: readonly number[]): string {
    const bytes = new Int8Array(elementsOf(dims));
    const random = randomOf(this.initializers.length + 1);
    for (let index = 0; index < bytes.length; index++) bytes[index] = Math.round(random() * 127);
    return this.constant(INT8, dims, new Uint8Array(bytes.buffer));
  }

  scalar(value: number): string {
    return this.constant(FLOAT, [], new Uint8Array(Float32Array.of(value).buffer));
  }

  zeroPoint(): string {
    return this.constant(INT8, [], new Uint8Array(1));
  }

  integers(values: readonly number[]): string {
    return this.constant(INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  write(file: string): void {
    const model = ModelProto.create({
      irVersion: 9,
      producerName: 'bench',
      opsetImport: [
        { domain: '', version: 17 },
        { domain: CONTRIBUTED, version: 1 },
      ],
      graph: {
        name: 'bench',
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: this.outputs,
      },
    });
    fs.writeFileSync(file, ModelProto.encode(model).finish());
  }

  private constant(dataType: number, dims: readonly number[], rawData: Uint8Array): string {
    const name = `w${this.initializers.length}`;
    this.initializers.push({ name, dataType, dims, rawData });
    return name;
  }
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

/** From -1 to 1. Constants from https://en.wikipedia.org/wiki/Linear_congruential_generator */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function declared(name: string, elemType: number, dims: readonly (number | string)[]): object {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function encoded(name: string, value: Attribute): object {
  if (typeof value === 'number') return { name, type: ATTRIBUTE.int, i: value };
  if (typeof value === 'string') return { name, type: ATTRIBUTE.string, s: Buffer.from(value) };
  if ('float' in value) return { name, type: ATTRIBUTE.float, f: value.float };
  return { name, type: ATTRIBUTE.ints, ints: value };
}
