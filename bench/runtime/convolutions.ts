/** Generates a chain of residual convolutions as in ResNet. */
import * as fs from 'node:fs';
import { ModelProto } from '../onnx-schema';

const FLOAT = 1;
const INTS = 7;

interface ConvolutionShape {
  readonly layers: number;
  readonly channels: number;
  /** Height and width. */
  readonly size: number;
}

/** Writes the model with embedded weights. Input `x` and output `y` are float32[1,channels,size,size]. */
export function writeConvolutions(file: string, { layers, channels, size }: ConvolutionShape): void {
  const kernel = channels * channels * 9;
  const node: object[] = [];
  const initializer: object[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const input = layer === 0 ? 'x' : `r${layer - 1}`;
    const weights = Float32Array.from(
      { length: kernel },
      (_, index) => Math.sin(index * 0.7 + layer) / (3 * channels),
    );
    const rawData = new Uint8Array(weights.buffer);
    initializer.push({ name: `w${layer}`, dataType: FLOAT, dims: [channels, channels, 3, 3], rawData });
    node.push(
      {
        opType: 'Conv',
        input: [input, `w${layer}`],
        output: [`c${layer}`],
        attribute: [
          { name: 'pads', type: INTS, ints: [1, 1, 1, 1] },
          { name: 'kernel_shape', type: INTS, ints: [3, 3] },
        ],
      },
      { opType: 'Relu', input: [`c${layer}`], output: [`a${layer}`] },
      { opType: 'Add', input: [`a${layer}`, input], output: [layer === layers - 1 ? 'y' : `r${layer}`] },
    );
  }
  const graph = { name: 'convolutions', node, initializer, input: [tensor('x')], output: [tensor('y')] };
  const opsetImport = [{ domain: '', version: 17 }];
  const model = ModelProto.create({ irVersion: 9, producerName: 'bench', opsetImport, graph });
  fs.writeFileSync(file, ModelProto.encode(model).finish());

  function tensor(name: string): object {
    const dim = [1, channels, size, size].map((dimValue) => ({ dimValue }));
    return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
  }
}
