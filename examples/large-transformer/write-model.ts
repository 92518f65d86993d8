/**
 * Writes a transformer of any size with generated weights, as one ONNX file with its weights in another file:
 *
 *     npx tsx write-model.ts --gigabytes 4 --hidden 2048
 *
 * The weights are streamed to disk, so the script needs some 100 MB of memory for a model of any size.
 */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bytes, int, tensorType, type Message } from './onnx-messages';

const WEIGHTS_FILE = 'model.weights';
const VOCABULARY = 8_192;
const HEAD_WIDTH = 64;
/** A feed-forward layer is this many times as wide as the hidden state. */
const WIDENING = 4;
const FLOAT_BYTES = 4;
/** Elements that are generated once; all weights repeat them, and each begins with another one: ONNX Runtime would pack equal weights once. */
const BLOCK = 1 << 20;
const STEP = 7_919;

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '4' },
    hidden: { type: 'string', default: '2048' },
  },
});

class TransformerFile {
  private readonly parts: Message[] = [bytes(2, 'transformer')];
  private readonly file = openSync(WEIGHTS_FILE, 'w');
  private readonly block = generatedBlock();
  private length = 0;
  private names = 0;

  constructor(private readonly hidden: number) {}

  write(layers: number): number {
    const { hidden } = this;
    this.parts.push(bytes(11, bytes(1, 'ids'), tensorType('int64', [1, 'sequence'])));
    let x = this.node('Gather', [this.weights([VOCABULARY, hidden], 1), 'ids']);
    for (let layer = 0; layer < layers; layer++) x = this.feedForward(this.attention(x));
    this.node('Identity', [x], [], 'embeddings');
    this.parts.push(bytes(12, bytes(1, 'embeddings'), tensorType('float32', [1, 'sequence', hidden])));
    closeSync(this.file);
    // IR version 8, opset 17.
    writeFileSync('model.onnx', Buffer.concat([int(1, 8), bytes(7, ...this.parts), bytes(8, int(2, 17))]));
    return this.length;
  }

  private attention(x: string): string {
    const { hidden } = this;
    const normal = this.normalized(x);
    const heads = (perm: readonly number[]): string => {
      const split = this.node('Reshape', [
        this.linear(normal, hidden, hidden),
        this.integers([0, 0, hidden / HEAD_WIDTH, HEAD_WIDTH]),
      ]);
      return this.transposed(split, perm);
    };
    const [queries, keys, inputs] = [heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])];
    const scores = this.node('Mul', [this.node('MatMul', [queries, keys]), this.scalar(HEAD_WIDTH ** -0.5)]);
    const mixed = this.node('MatMul', [this.node('Softmax', [scores]), inputs]);
    const joined = this.node('Reshape', [
      this.transposed(mixed, [0, 2, 1, 3]),
      this.integers([0, 0, hidden]),
    ]);
    return this.node('Add', [x, this.linear(joined, hidden, hidden)]);
  }

  private feedForward(x: string): string {
    const wide = this.linear(this.normalized(x), this.hidden, WIDENING * this.hidden);
    return this.node('Add', [x, this.linear(this.node('Relu', [wide]), WIDENING * this.hidden, this.hidden)]);
  }

  private normalized(x: string): string {
    const scale = this.weights([this.hidden], 1);
    return this.node('LayerNormalization', [x, scale]);
  }

  private linear(x: string, from: number, to: number): string {
    return this.node('MatMul', [x, this.weights([from, to], from ** -0.5)]);
  }

  private transposed(x: string, perm: readonly number[]): string {
    // An attribute of type INTS.
    return this.node('Transpose', [x], [bytes(1, 'perm'), ...perm.map((axis) => int(8, axis)), int(20, 7)]);
  }

  private node(
    opType: string,
    inputs: readonly string[],
    attribute: readonly Message[] = [],
    output = `${opType}_${this.names++}`,
  ): string {
    const fields = [...inputs.map((input) => bytes(1, input)), bytes(2, output), bytes(3, output)];
    if (attribute.length > 0) fields.push(bytes(5, ...attribute));
    this.parts.push(bytes(1, ...fields, bytes(4, opType)));
    return output;
  }

  private integers(elements: readonly number[]): string {
    const name = `integers_${this.names++}`;
    const data = Buffer.from(BigInt64Array.from(elements, BigInt).buffer);
    this.parts.push(bytes(5, int(1, elements.length), int(2, 7), bytes(8, name), bytes(9, data)));
    return name;
  }

  private scalar(element: number): string {
    const name = `scalar_${this.names++}`;
    const data = Buffer.from(Float32Array.of(element).buffer);
    this.parts.push(bytes(5, int(2, 1), bytes(8, name), bytes(9, data)));
    return name;
  }

  /** Appends elements from -scale to scale to the file of weights, and refers to them. */
  private weights(dims: readonly number[], scale: number): string {
    const name = `weights_${this.names++}`;
    const elements = dims.reduce((product, size) => product * size, 1);
    const first = (this.names * STEP) % BLOCK;
    const turned = this.block.map((_, index) => this.block[(first + index) % BLOCK] * scale);
    const scaled = Buffer.from(turned.buffer);
    for (let left = elements * FLOAT_BYTES; left > 0; left -= scaled.length)
      writeSync(this.file, scaled, 0, Math.min(left, scaled.length));
    const place = { location: WEIGHTS_FILE, offset: this.length, length: elements * FLOAT_BYTES };
    this.length += place.length;
    this.parts.push(
      bytes(
        5,
        ...dims.map((size) => int(1, size)),
        int(2, 1),
        bytes(8, name),
        ...Object.entries(place).map(([key, value]) => bytes(13, bytes(1, key), bytes(2, String(value)))),
        // The data is in another file.
        int(14, 1),
      ),
    );
    return name;
  }
}

/** Pseudo-random elements from -1 to 1, by the linear congruential generator of "Numerical Recipes". */
function generatedBlock(): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: BLOCK }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed / 2 ** 32) * 2 - 1;
  });
}

function main(): void {
  const [gigabytes, hidden] = [Number(values.gigabytes), Number(values.hidden)];
  if (!(gigabytes > 0) || !(hidden >= HEAD_WIDTH) || hidden % HEAD_WIDTH !== 0)
    throw new Error(
      `--gigabytes must be above 0 and --hidden a multiple of ${HEAD_WIDTH}, got ${values.gigabytes} and ${values.hidden}: correct them`,
    );
  const layerBytes = (4 + 2 * WIDENING) * hidden ** 2 * FLOAT_BYTES;
  const layers = Math.max(1, Math.round((gigabytes * 1e9 - VOCABULARY * hidden * FLOAT_BYTES) / layerBytes));
  const length = new TransformerFile(hidden).write(layers);
  console.log(`model.onnx: ${layers} layers, ${(length / 1e9).toFixed(2)} GB of weights in ${WEIGHTS_FILE}`);
}

main();
