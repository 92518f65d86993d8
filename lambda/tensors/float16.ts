/** Converts numbers to the bits of float16 and back, and float32 tensors for the transport between slices. */
import { bytesOf, typedView, type NumericTensor } from './tensor';

export const MAX_FLOAT16 = 65504;

/** The bits of the float16 nearest to `value`, ties to even (IEEE 754 binary16). */
export function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  // Values from half a step above the largest finite float16 round to infinity.
  if (size >= MAX_FLOAT16 + 16) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundHalfToEven(size * 2 ** 24);
  const exponent = exponentOf(size);
  // A mantissa that rounds up to 1024 carries into the exponent, which is correct.
  return sign | (((exponent + 15) << 10) + roundHalfToEven((size / 2 ** exponent - 1) * 1024));
}

/** Exponent of a normal double; `Math.log2` is not exact next to powers of two. */
function exponentOf(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return ((view.getUint16(0) >>> 4) & 0x7ff) - 1023;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The value of a float16's bits; Node.js has no `Float16Array` before version 24. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @returns `undefined` if a finite value is too large for float16 (it would round to infinity, not to 65,504) */
export function halved(tensor: NumericTensor): NumericTensor | undefined {
  const values = typedView(tensor);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const half = new Uint16Array(bits.length);
  for (let index = 0; index < bits.length; index++) {
    const rounded = halfOf(bits[index]);
    if (rounded < 0) return undefined;
    half[index] = rounded;
  }
  return { dtype: 'float16', shape: tensor.shape, bytes: bytesOf(half) };
}

export function widened(tensor: NumericTensor): NumericTensor {
  const half = typedView(tensor);
  const table = valuesOfHalves();
  const values = new Float32Array(half.length);
  for (let index = 0; index < half.length; index++) values[index] = table[half[index] as number];
  return { dtype: 'float32', shape: tensor.shape, bytes: bytesOf(values) };
}

const TOO_LARGE = -1;

/** The bits of the float16 nearest to a float32's bits, ties to even. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent === 143) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200 | (fraction >>> 13));
  if (exponent > 30) return TOO_LARGE;
  // Number of low bits that do not fit. A subnormal float16 has no implicit leading bit, so add it to the fraction.
  const dropped = exponent > 0 ? 13 : Math.min(14 - exponent, 31);
  const significand = exponent > 0 ? (exponent << 23) | fraction : 0x800000 | fraction;
  const truncated = significand >>> dropped;
  const rest = significand & (2 ** dropped - 1);
  const middle = 2 ** (dropped - 1);
  // A fraction that rounds up to the next power of two carries into the exponent, which is correct.
  const rounded = rest > middle || (rest === middle && truncated % 2 === 1) ? truncated + 1 : truncated;
  return rounded >= 0x7c00 ? TOO_LARGE : sign | rounded;
}

let table: Float32Array | undefined;

function valuesOfHalves(): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => float16Value(bits));
  return table;
}
