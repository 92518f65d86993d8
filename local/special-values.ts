/** Elements whose bits arithmetic may change although nothing is wrong with their value: comparisons of bits must have them. */

const BITS: Partial<Record<string, Uint16Array | Uint32Array | BigUint64Array>> = {
  float16: Uint16Array.of(0x8000, 0x0001, 0x83ff, 0x7c00, 0xfc00, 0x7e12, 0xfe34, 0x7c56),
  float32: Uint32Array.of(
    ...[0x80000000, 0x00000001, 0x807fffff, 0x7f800000],
    ...[0xff800000, 0x7fc01234, 0xffc05678, 0x7f809abc],
  ),
  float64: BigUint64Array.of(
    ...[0x8000000000000000n, 0x0000000000000001n, 0x800fffffffffffffn, 0x7ff0000000000000n],
    ...[0xfff0000000000000n, 0x7ff8000000001234n, 0xfff8000000005678n, 0x7ff0000000009abcn],
  ),
};

/** From the first one on: -0.0 and denormals of both signs; then infinities, quiet NaN of both signs and a signaling one, with payloads. */
const COUNTS = { numbers: 3, all: 8 };

export type SpecialValues = keyof typeof COUNTS;

/**
 * Overwrites some elements of a tensor with special values; those of integers and texts stay as they are.
 *
 * @param every one of so many elements, on average
 * @param random numbers from 0 to 1
 */
export function addSpecialValues(
  dtype: string,
  bytes: Uint8Array,
  which: SpecialValues,
  every: number,
  random: () => number,
): void {
  const bits = BITS[dtype];
  if (bits === undefined) return;
  const size = bits.BYTES_PER_ELEMENT;
  const special = new Uint8Array(bits.buffer);
  for (let at = 0; at < bytes.length; at += size) {
    if (random() * every >= 1) continue;
    const kind = Math.floor(random() * COUNTS[which]);
    bytes.set(special.subarray(kind * size, (kind + 1) * size), at);
  }
}
