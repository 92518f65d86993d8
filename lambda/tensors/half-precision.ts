/**
 * float32 tensors as float16 and back, for tensors on their way. A value keeps 11 significant bits: the error is at most
 * 2^-11 of it (0.05 %), and at most 2^-25 where it is below 2^-14 in size. Infinities and NaNs stay what they are.
 */
import { float16Value } from './float16';
import { bytesOf, typedView, type NumericTensor } from './tensor';

/** @returns `undefined` where a finite value is too large for float16 (above 65,504 in size) */
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

/** The float32 tensor of the same values. */
export function widened(tensor: NumericTensor): NumericTensor {
  const half = typedView(tensor);
  const table = valuesOfHalves();
  const values = new Float32Array(half.length);
  for (let index = 0; index < half.length; index++) values[index] = table[half[index] as number];
  return { dtype: 'float32', shape: tensor.shape, bytes: bytesOf(values) };
}

/** What a finite value above the largest float16 is told by. */
const TOO_LARGE = -1;

/** Bits of a float32 to those of the nearest float16, ties to even. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent === 143) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200 | (fraction >>> 13));
  if (exponent > 30) return TOO_LARGE;
  // The fraction's bits that do not fit; below the normal ones its leading bit is written out.
  const dropped = exponent > 0 ? 13 : Math.min(14 - exponent, 31);
  const all = exponent > 0 ? (exponent << 23) | fraction : 0x800000 | fraction;
  const kept = all >>> dropped;
  const rest = all & (2 ** dropped - 1);
  const middle = 2 ** (dropped - 1);
  // A fraction that rounds up to the next power of two carries into the exponent, as it should.
  const rounded = rest > middle || (rest === middle && kept % 2 === 1) ? kept + 1 : kept;
  return rounded >= 0x7c00 ? TOO_LARGE : sign | rounded;
}

let table: Float32Array | undefined;

function valuesOfHalves(): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => float16Value(bits));
  return table;
}
