/** Integer operators computed with exact numbers: JavaScript holds sums of products of bytes exactly. Nothing here is shared with the library. */

export type Bytes = Uint8Array | Int8Array;

/** Rows of `a` [m,k] times columns of `b` [k,n], each without its zero point. */
export function exactProduct(
  a: Bytes,
  b: Bytes,
  [m, k, n]: readonly [number, number, number],
  { aZero, bZeros }: { readonly aZero: number; readonly bZeros: ArrayLike<number> },
): Float64Array {
  const sums = new Float64Array(m * n);
  for (let row = 0; row < m; row++)
    for (let inner = 0; inner < k; inner++) {
      const left = a[row * k + inner] - aZero;
      for (let column = 0; column < n; column++)
        sums[row * n + column] += left * (b[inner * n + column] - bZeros[column % bZeros.length]);
    }
  return sums;
}

export interface ConvolutionSizes {
  readonly group: number;
  /** Channels of `x`, and of `y`. */
  readonly channels: readonly [number, number];
  /** Side of the square picture, and of the square kernel. */
  readonly sides: readonly [number, number];
}

/** `x` [1,C,S,S] with `w` [O,C/group,K,K], without pads. */
export function exactConvolution(
  x: Bytes,
  w: Bytes,
  { group, channels: [inputs, outputs], sides: [side, kernel] }: ConvolutionSizes,
  { xZero, wZero }: { readonly xZero: number; readonly wZero: number },
): Float64Array {
  const [inGroup, outGroup, size] = [inputs / group, outputs / group, side - kernel + 1];
  const sums = new Float64Array(outputs * size * size);
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < inGroup; c++)
      for (let i = 0; i < kernel * kernel; i++) {
        const weight = w[(o * inGroup + c) * kernel * kernel + i] - wZero;
        const [row, column] = [Math.floor(i / kernel), i % kernel];
        const channel = Math.floor(o / outGroup) * inGroup + c;
        for (let y = 0; y < size; y++)
          for (let z = 0; z < size; z++)
            sums[(o * size + y) * size + z] +=
              weight * (x[(channel * side + y + row) * side + z + column] - xZero);
      }
  return sums;
}

/** Sums as bytes of a type. A result may be off by one, because kernels multiply by the scale in float32. */
export function requantized(
  sums: Float64Array,
  scale: number,
  zero: number,
  isSigned: boolean,
): Float64Array {
  const [least, most] = isSigned ? [-128, 127] : [0, 255];
  return sums.map((sum) => Math.min(most, Math.max(least, Math.round(sum * scale) + zero)));
}

/** As `DynamicQuantizeLinear` quantizes. */
export function quantizedFloats(x: ArrayLike<number>): { values: Uint8Array; scale: number; zero: number } {
  const all = Array.from(x);
  const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
  const scale = (most - least) / 255 || 1;
  const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
  const zero = clamp(-least / scale);
  return { values: Uint8Array.from(all, (value) => clamp(value / scale + zero)), scale, zero };
}

interface Lstm {
  readonly x: Float32Array;
  readonly w: Bytes;
  readonly r: Bytes;
  readonly zero: number;
  /** Of both weights. */
  readonly scale: number;
  /** Steps, inputs and hidden values. */
  readonly sizes: readonly [number, number, number];
}

/** The hidden states of an LSTM without biases for one sequence; the gates are input, output, forget and cell. */
export function lstm({ x, w, r, zero, scale, sizes: [steps, inputs, hidden] }: Lstm): Float64Array {
  const gates = 4 * hidden;
  const bZeros = [zero];
  const ofInputs = quantizedFloats(x);
  const fromX = exactProduct(ofInputs.values, w, [steps, inputs, gates], { aZero: ofInputs.zero, bZeros });
  let [h, c] = [new Float64Array(hidden), new Float64Array(hidden)];
  const states = new Float64Array(steps * hidden);
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  for (let step = 0; step < steps; step++) {
    const ofState = quantizedFloats(h);
    const fromH = exactProduct(ofState.values, r, [1, hidden, gates], { aZero: ofState.zero, bZeros });
    const gate = (index: number, at: number): number =>
      fromX[step * gates + index * hidden + at] * ofInputs.scale * scale +
      fromH[index * hidden + at] * ofState.scale * scale;
    c = c.map((cell, at) => sigmoid(gate(2, at)) * cell + sigmoid(gate(0, at)) * Math.tanh(gate(3, at)));
    h = c.map((cell, at) => sigmoid(gate(1, at)) * Math.tanh(cell));
    states.set(h, step * hidden);
  }
  return states;
}

/** Attention of one sequence. @param qkv [rows, 3 * heads * size], queries first */
export function attention(qkv: Float64Array, rows: number, heads: number, size: number): Float64Array {
  const width = heads * size;
  const at = (part: number, row: number, head: number, index: number): number =>
    qkv[row * 3 * width + part * width + head * size + index];
  const result = new Float64Array(rows * width);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < rows; row++) {
      const scores = Array.from({ length: rows }, (_, other) => {
        let sum = 0;
        for (let index = 0; index < size; index++) sum += at(0, row, head, index) * at(1, other, head, index);
        return sum / Math.sqrt(size);
      });
      const largest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let index = 0; index < size; index++)
        for (let other = 0; other < rows; other++)
          result[row * width + head * size + index] += (weights[other] / total) * at(2, other, head, index);
    }
  return result;
}
