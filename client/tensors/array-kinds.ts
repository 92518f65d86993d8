/** Which kind of typed array holds the elements of which type. */
import {
  describeTensor,
  elementBytes,
  elementCount,
  type NumericDataType,
  bytesOf,
  type NumericTensor,
} from '../../lambda/tensors/tensor';

const KINDS: Readonly<Record<NumericDataType, readonly string[]>> = {
  float32: ['Float32Array'],
  float64: ['Float64Array'],
  int8: ['Int8Array'],
  int16: ['Int16Array'],
  int32: ['Int32Array'],
  int64: ['BigInt64Array'],
  uint8: ['Uint8Array', 'Uint8ClampedArray'],
  uint16: ['Uint16Array'],
  uint32: ['Uint32Array'],
  uint64: ['BigUint64Array'],
  float16: ['Uint16Array', 'Float16Array'],
  bool: ['Uint8Array'],
};

/** Of an array whose type nobody has stated: bool, and float16 as bits, are stated. */
export function impliedType(elements: ArrayBufferView): NumericDataType | undefined {
  const kind = kindOfArray(elements);
  return (Object.keys(KINDS) as NumericDataType[]).find((dtype) => KINDS[dtype].includes(kind));
}

export function arrayMismatch(
  tensor: { readonly dtype: NumericDataType; readonly shape: readonly number[] },
  elements: ArrayBufferView,
) {
  const { dtype, shape } = tensor;
  const kinds = KINDS[dtype];
  const kind = kindOfArray(elements);
  if (!kinds.includes(kind)) {
    const expected = `the elements of ${describeTensor(tensor)} as ${kinds.join(' or ')}`;
    return {
      expected,
      got: kind,
      advice: `convert the elements, or pass { dtype, shape, bytes } if these are their bytes`,
    };
  }
  const bytes = elementCount(shape) * elementBytes(dtype);
  if (elements.byteLength === bytes) return undefined;
  const count = elements.byteLength / elementBytes(dtype);
  return {
    expected: `${elementCount(shape)} elements for ${describeTensor(tensor)}`,
    got: String(count),
    advice: 'check the shape and the array',
  };
}

/** Such as `Float32Array`, also for arrays of other realms; a `Buffer` is a `Uint8Array`. */
export function kindOfArray(elements: ArrayBufferView): string {
  const { [Symbol.toStringTag]: tag } = elements as Partial<Record<typeof Symbol.toStringTag, unknown>>;
  return typeof tag === 'string' ? tag : 'array of an unknown kind';
}

/**
 * Creates a tensor from a typed array without copying it. The array's kind must fit the type: a `Float32Array` for float32, for
 * float16 a `Float16Array` or the bits in a `Uint16Array`, for bool a `Uint8Array` of 0 and 1.
 * @param shape sizes whose product is the number of elements; `[]` for a scalar
 * @throws RangeError if the array is of another kind or does not have as many elements as the shape
 */
export function tensorFrom(
  dtype: NumericDataType,
  shape: readonly number[],
  elements: ArrayBufferView,
): NumericTensor {
  const mismatch = arrayMismatch({ dtype, shape }, elements);
  if (mismatch !== undefined) {
    const { expected, got, advice } = mismatch;
    throw new RangeError(`a tensor must have ${expected}, got ${got}: ${advice}`);
  }
  return { dtype, shape, bytes: bytesOf(elements) };
}
