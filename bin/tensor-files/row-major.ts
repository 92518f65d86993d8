/** Puts elements into C order, in which the last axis varies fastest. NumPy's Fortran order varies the first axis fastest. */
import { elementCount } from '../../lambda/tensors/tensor';

/** The bytes of elements of 1, 2, 4 or 8 bytes, from Fortran order to C order. */
export function rowMajorBytes(bytes: Uint8Array, shape: readonly number[], elementBytes: number): Uint8Array {
  if (!hasOrder(shape)) return bytes;
  const Words = WORDS[elementBytes as keyof typeof WORDS];
  // A copy starts at a multiple of eight bytes.
  const source = new Words(new Uint8Array(bytes).buffer) as Words;
  const target = new Words(elementCount(shape)) as Words;
  visitRowMajor(shape, (to, from) => {
    target[to] = source[from];
  });
  return new Uint8Array(target.buffer);
}

/** The items of a list, from Fortran order to C order. */
export function rowMajorItems<T>(items: readonly T[], shape: readonly number[]): readonly T[] {
  if (!hasOrder(shape)) return items;
  const ordered = new Array<T>(items.length);
  visitRowMajor(shape, (to, from) => {
    ordered[to] = items[from];
  });
  return ordered;
}

/** Elements whose bits are copied, for whichever their width is. */
interface Words {
  readonly buffer: ArrayBuffer;
  [index: number]: number | bigint;
}

const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const;

/** Whether the two orders differ. */
function hasOrder(shape: readonly number[]): boolean {
  return elementCount(shape) > 0 && shape.filter((size) => size > 1).length > 1;
}

/** Visits each element in C order, with its position in C order and in Fortran order. */
function visitRowMajor(shape: readonly number[], visit: (to: number, from: number) => void): void {
  let stride = 1;
  const strides = shape.map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
  const count = stride;
  const position = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    visit(to, from);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++position[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
}
