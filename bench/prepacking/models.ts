/** A model of feed-forward layers with weights of 4 bits. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { BenchModel } from '../inputs';
import { ModelProto } from '../onnx-schema';
import { Random } from '../split/random';

const LAYERS = 12;
const WIDENING = 4;
const BLOCK = 32;

interface FourBits {
  /** Elements of a token. */
  readonly hidden: number;
  /** Of ONNX Runtime: 4 computes in int8, 0 in float32. */
  readonly accuracyLevel: 0 | 4;
  readonly tokens: number;
}

/** Each layer normalizes, widens four times and narrows again. @param folder for its file */
export function writeFourBitModel(folder: string, { hidden, accuracyLevel, tokens }: FourBits): BenchModel {
  const random = new Random(hidden + accuracyLevel);
  const [file, location] = ['onnx', 'weights'].map((ending) => `4-bits-${hidden}-${accuracyLevel}.${ending}`);
  const initializer: object[] = [];
  const weights: Uint8Array[] = [];
  let offset = 0;
  const store = (name: string, dataType: number, dims: readonly number[], bytes: Uint8Array): string => {
    const entries = { location, offset: String(offset), length: String(bytes.length) };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    initializer.push({ name, dataType, dims, externalData, dataLocation: 1 });
    weights.push(bytes);
    offset += bytes.length;
    return name;
  };
  const floats = (name: string, length: number, make: () => number): string => {
    const data = Float32Array.from({ length }, make);
    return store(name, 1, [length], new Uint8Array(data.buffer));
  };
  const product = (x: string, name: string, K: number, N: number): object => {
    const blocks = K / BLOCK;
    const weight = store(`${name}_w`, 2, [N, blocks, BLOCK / 2], random.bytes('uint8', (N * K) / 2));
    const scales = floats(`${name}_s`, N * blocks, () => 0.1 / Math.sqrt(K));
    const integers = { K, N, bits: 4, block_size: BLOCK, accuracy_level: accuracyLevel };
    return {
      ...{ opType: 'MatMulNBits', domain: 'com.microsoft', input: [x, weight, scales], output: [name] },
      attribute: Object.entries(integers).map(([key, i]) => ({ name: key, i, type: 2 })),
    };
  };
  const node: object[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    const x = layer === 0 ? 'x' : `x${layer}`;
    const scale = floats(`scale${layer}`, hidden, () => 1);
    node.push(
      { opType: 'LayerNormalization', input: [x, scale], output: [`n${layer}`] },
      product(`n${layer}`, `wide${layer}`, hidden, WIDENING * hidden),
      { opType: 'Relu', input: [`wide${layer}`], output: [`r${layer}`] },
      product(`r${layer}`, `narrow${layer}`, WIDENING * hidden, hidden),
      { opType: 'Add', input: [x, `narrow${layer}`], output: [layer === LAYERS - 1 ? 'y' : `x${layer + 1}`] },
    );
  }
  const dim = [{ dimParam: 'tokens' }, { dimValue: hidden }];
  const declared = (name: string): object => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim } } },
  });
  const graph = { name: 'layers', node, initializer, input: [declared('x')], output: [declared('y')] };
  const opsetImport = [{ version: 17 }, { domain: 'com.microsoft', version: 1 }];
  const model = ModelProto.create({ irVersion: 8, opsetImport, graph });
  fs.writeFileSync(path.join(folder, location), Buffer.concat(weights));
  fs.writeFileSync(path.join(folder, file), ModelProto.encode(model).finish());
  return {
    name: `4 bits, level ${accuracyLevel}, width ${hidden}`,
    file: path.join(folder, file),
    dimensions: { tokens },
  };
}
