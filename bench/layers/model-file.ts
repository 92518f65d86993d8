/** Writes an ONNX model with generated weights, which are never in memory as a whole. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { onnxDataType, packedBytes } from '../../lib/onnx/data-type';
import type { BenchModel } from '../inputs';
import { ModelProto } from '../onnx-schema';

const WEIGHTS_FILE = 'model.weights';
const MICROSOFT = 'com.microsoft';
/** https://onnx.ai/onnx/api/classes.html: AttributeProto.AttributeType */
const INT = 2;
const INTS = 7;

/** Elements that are generated once. A prime, so that the rows of no matrix are equal. */
const BLOCK = 1_048_573;
/** Each weight begins so many elements later in the block than the one before. */
const STEP = 7919;

type Attributes = Readonly<Record<string, number | readonly number[]>>;

export interface LayerModel extends BenchModel {
  readonly weightBytes: number;
  readonly weightsFile: string;
}

export class ModelFile {
  private readonly nodes: unknown[] = [];
  private readonly initializers: unknown[] = [];
  private readonly inputs: unknown[] = [];
  private readonly weightsFile: string;
  private readonly file: number;
  private length = 0;
  private names = 0;

  /** @param folder new */
  constructor(private readonly folder: string) {
    fs.mkdirSync(folder);
    this.weightsFile = path.join(folder, WEIGHTS_FILE);
    this.file = fs.openSync(this.weightsFile, 'w');
  }

  input(name: string, dtype: string, dims: readonly number[]): string {
    this.inputs.push({ name, type: typeOf(dtype, dims) });
    return name;
  }

  /** float32 with a normal distribution. */
  floats(dims: readonly number[], deviation: number): string {
    return this.weight('float32', dims, Buffer.from(normal().map((each) => each * deviation).buffer));
  }

  /** Every value of int8 or uint8. */
  bytes(dtype: 'int8' | 'uint8', dims: readonly number[]): string {
    const { buffer } = Uint8Array.from(normal(), (each) => Math.round(each * 1e6) & 0xff);
    return this.weight(dtype, dims, Buffer.from(buffer));
  }

  /** A small constant inside of the graph. */
  constant(
    dtype: 'float32' | 'int64' | 'int8' | 'uint8',
    values: readonly number[],
    isScalar = false,
  ): string {
    const makers = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };
    const typed = dtype === 'int64' ? BigInt64Array.from(values, BigInt) : makers[dtype].from(values);
    const name = this.name('constant');
    const rawData = Buffer.from(typed.buffer);
    this.initializers.push({
      ...{ name, dataType: onnxDataType(dtype), dims: isScalar ? [] : [values.length], rawData },
    });
    return name;
  }

  /** @param opType with `com.microsoft.` before it if it is of that domain @returns its outputs */
  outputsOf(opType: string, inputs: readonly string[], attributes: Attributes = {}, outputs = 1): string[] {
    const results = Array.from({ length: outputs }, () => this.name(opType.split('.').at(-1) ?? ''));
    const isMicrosoft = opType.startsWith(MICROSOFT);
    this.nodes.push({
      ...{ name: results[0], input: inputs, output: results },
      ...(isMicrosoft
        ? { domain: MICROSOFT, opType: opType.slice(MICROSOFT.length + 1) }
        : { domain: '', opType }),
      attribute: Object.entries(attributes).map(([name, value]) =>
        typeof value === 'number' ? { name, i: value, type: INT } : { name, ints: value, type: INTS },
      ),
    });
    return results;
  }

  node(opType: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.outputsOf(opType, inputs, attributes)[0];
  }

  /** The model, which has the float32 output `output`. */
  save(name: string, output: string): LayerModel {
    fs.closeSync(this.file);
    const file = path.join(this.folder, 'model.onnx');
    const graph = {
      ...{ name, node: this.nodes, initializer: this.initializers, input: this.inputs },
      output: [{ name: output, type: typeOf('float32') }],
    };
    const opsetImport = [{ version: 20 }, { domain: MICROSOFT, version: 1 }];
    fs.writeFileSync(
      file,
      ModelProto.encode(ModelProto.create({ irVersion: 9, opsetImport, graph })).finish(),
    );
    return { name, file, dimensions: {}, weightBytes: this.length, weightsFile: this.weightsFile };
  }

  /** Appends a weight to the file of weights. @param block its bytes, which it repeats */
  weight(dtype: string, dims: readonly number[], block: Buffer): string {
    const name = this.name('weight');
    const dataType = onnxDataType(dtype);
    const length =
      packedBytes(
        dataType,
        dims.reduce((product, size) => product * size, 1),
      ) ?? 0;
    // No two weights are equal, so that a run with the wrong one is noticed.
    let from = (this.names * 4 * STEP) % block.length;
    for (let left = length, some = 0; left > 0; left -= some, from = 0)
      some = fs.writeSync(this.file, block, from, Math.min(left, block.length - from));
    const place = Object.entries({ location: WEIGHTS_FILE, offset: this.length, length });
    const externalData = place.map(([key, value]) => ({ key, value: String(value) }));
    this.initializers.push({ name, dataType, dims, externalData, dataLocation: 1 });
    this.length += length;
    return name;
  }

  private name(prefix: string): string {
    return `${prefix}_${this.names++}`;
  }
}

function typeOf(dtype: string, dims?: readonly number[]): unknown {
  const shape = dims && { dim: dims.map((dimValue) => ({ dimValue })) };
  return { tensorType: { elemType: onnxDataType(dtype), ...(shape && { shape }) } };
}

let generated: Float32Array | undefined;

/** By the linear congruential generator of "Numerical Recipes" and the transformation of Box and Muller. */
function normal(): Float32Array {
  let seed = 1;
  const next = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed + 1) / (2 ** 32 + 1);
  };
  return (generated ??= Float32Array.from(
    { length: BLOCK },
    () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()),
  ));
}
