/** Generates models for benchmarks: large ones with random weights, and one with very many small nodes. */
import { randomFillSync } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../onnx-schema';

const FLOAT = 1;
const EXTERNAL = 1;
const MIB = 1024 * 1024;

/** A chain of matrix products with one square weight each. */
interface ChainOptions {
  readonly layers: number;
  /** Rows and columns of a weight. */
  readonly width: number;
}

/** Layers whose weights add up to `megabytes` (10^6 bytes), 16 layers or more. */
export function chainOf(megabytes: number): ChainOptions {
  const layers = megabytes >= 2000 ? 64 : 16;
  // A multiple of 64, as in real models.
  const width = Math.round(Math.sqrt((megabytes * 1e6) / layers / 4) / 64) * 64;
  return { layers, width };
}

/** Writes a model with embedded weights, as exporters do below 2 GB. */
export function writeEmbedded(file: string, { layers, width }: ChainOptions): void {
  const noise = noiseOf(width * width * 4);
  const initializer = Array.from({ length: layers }, (_, layer) => {
    noise.writeUInt32LE(layer, 0);
    return { name: `w${layer}`, dataType: FLOAT, dims: [width, width], rawData: Buffer.from(noise) };
  });
  fs.writeFileSync(file, encode(chainGraph(layers, width, initializer)));
}

/** Writes a model with external data in a file beside it, as exporters must from 2 GB on. */
export function writeExternal(file: string, { layers, width }: ChainOptions): void {
  const location = `${path.basename(file)}.data`;
  const bytes = width * width * 4;
  const noise = noiseOf(bytes);
  const descriptor = fs.openSync(path.join(path.dirname(file), location), 'w');
  const initializer = Array.from({ length: layers }, (_, layer) => {
    // Make each weight different: equal weights would make equal slices.
    noise.writeUInt32LE(layer, 0);
    for (let done = 0; done < bytes;) done += fs.writeSync(descriptor, noise, done);
    return {
      name: `w${layer}`,
      dataType: FLOAT,
      dims: [width, width],
      dataLocation: EXTERNAL,
      externalData: Object.entries({
        location,
        offset: String(layer * bytes),
        length: String(bytes),
      }).map(([key, value]) => ({ key, value })),
    };
  });
  fs.closeSync(descriptor);
  fs.writeFileSync(file, encode(chainGraph(layers, width, initializer)));
}

/** Writes a chain of `nodes` elementwise operators. Every eighth has a small weight. */
export function writeManyNodes(file: string, nodes: number): void {
  const operators = ['Tanh', 'Relu', 'Sigmoid', 'Abs'];
  const initializer: object[] = [];
  const node = Array.from({ length: nodes }, (_, index) => {
    const input = index === 0 ? 'x' : `v${index - 1}`;
    const output = index === nodes - 1 ? 'y' : `v${index}`;
    if (index % 8 > 0) {
      return {
        name: `n${index}`,
        opType: operators[index % operators.length],
        input: [input],
        output: [output],
      };
    }
    const rawData = new Uint8Array(Float32Array.from({ length: 512 }, (_unused, at) => at / 512).buffer);
    initializer.push({ name: `w${index}`, dataType: FLOAT, dims: [512], rawData });
    return { name: `n${index}`, opType: 'Add', input: [input, `w${index}`], output: [output] };
  });
  fs.writeFileSync(
    file,
    encode({
      name: 'many',
      node,
      initializer,
      input: [tensor('x', [1, 512])],
      output: [tensor('y', [1, 512])],
    }),
  );
}

/** Writes a model of `y = Relu(x)` for a row of any length. */
export function writeOneOperator(file: string): void {
  const row = (name: string): object => {
    const shape = { dim: [{ dimValue: 1 }, { dimParam: 'length' }] };
    return { name, type: { tensorType: { elemType: FLOAT, shape } } };
  };
  const node = [{ name: 'relu', opType: 'Relu', input: ['x'], output: ['y'] }];
  fs.writeFileSync(file, encode({ name: 'one', node, input: [row('x')], output: [row('y')] }));
}

function chainGraph(layers: number, width: number, initializer: readonly object[]): object {
  const node = Array.from({ length: layers }, (_, layer) => ({
    name: `matmul${layer}`,
    opType: 'MatMul',
    input: [layer === 0 ? 'x' : `h${layer}`, `w${layer}`],
    output: [layer === layers - 1 ? 'y' : `h${layer + 1}`],
  }));
  return {
    name: 'chain',
    node,
    initializer,
    input: [tensor('x', [1, width])],
    output: [tensor('y', [1, width])],
  };
}

function tensor(name: string, dims: readonly number[]): object {
  const dim = dims.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}

function encode(graph: object): Uint8Array {
  const model = ModelProto.create({
    irVersion: 9,
    producerName: 'bench',
    opsetImport: [{ domain: '', version: 17 }],
    graph,
  });
  return ModelProto.encode(model).finish();
}

/** Random bytes, which no disk can compress. */
function noiseOf(bytes: number): Buffer {
  const noise = Buffer.allocUnsafe(bytes);
  for (let done = 0; done < bytes; done += MIB) randomFillSync(noise, done, Math.min(MIB, bytes - done));
  return noise;
}
