/**
 * Converts float32 tensors to float16 and back, for the transport between slices. A value keeps 11 significant bits: the
 * error is at most 2^-11 of the value (0.05 %), or at most 2^-25 if its magnitude is below 2^-14. Infinities and NaNs are
 * preserved.
 */
import { float16Value } from './float16';
import { bytesOf, typedView, type NumericTensor } from './tensor';

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

/** Converts a float16 tensor to float32, with the same values. */
export function widened(tensor: NumericTensor): NumericTensor {
  const half = typedView(tensor);
  const table = valuesOfHalves();
  const values = new Float32Array(half.length);
  for (let index = 0; index < half.length; index++) values[index] = table[half[index] as number];
  return { dtype: 'float32', shape: tensor.shape, bytes: bytesOf(values) };
}

/** Result of `halfOf` for a finite value that is too large for float16. */
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
