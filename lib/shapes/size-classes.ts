/** Which tensors have the same size as far as ONNX Runtime knows when it plans the memory of a session. */
import { type ValueTypes, tensorBytes } from './value-types';

/** By value: a number that it shares with the values whose size is known to be the same; -1 if none can be. */
export type SizeClasses = Int32Array;

/** @param types without planned sizes: dimensions have the same size if they have the same number or name */
export function sizeClasses(types: ValueTypes): SizeClasses {
  const classes = new Map<string, number>();
  return Int32Array.from(types, ({ dtype, shape }) => {
    if (dtype === undefined || shape === null || shape.includes(null)) return -1;
    const key = JSON.stringify([tensorBytes(dtype, 2), ...shape]);
    const known = classes.get(key) ?? classes.size;
    classes.set(key, known);
    return known;
  });
}
