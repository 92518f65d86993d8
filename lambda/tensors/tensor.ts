/** Tensors as raw little-endian bytes, the form that files, S3 objects and ONNX Runtime share. */
import type { TensorDataType } from '../../contract/tensors';

/** An element type whose elements have a fixed size. */
export type NumericDataType = Exclude<TensorDataType, 'string'>;

/** A tensor of numbers or bools as raw bytes. */
export interface NumericTensor {
  /** The element type. */
  readonly dtype: NumericDataType;
  /** Sizes; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Row-major, little-endian; `bool` is one byte of 0 or 1 for each element. */
  readonly bytes: Uint8Array;
}

/** A tensor of strings. */
export interface StringTensor {
  /** Always `string`. */
  readonly dtype: 'string';
  /** Sizes; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly strings: readonly string[];
}

/** A tensor with its elements as they are in files and in S3. */
export type RawTensor = NumericTensor | StringTensor;

/** A tensor's element type and shape, without its elements. */
export interface TensorHead {
  readonly dtype: TensorDataType;
  readonly shape: readonly number[];
}

/** The array of a tensor's elements: float16 as bits in a `Uint16Array`, bool as 0 and 1 in a `Uint8Array`. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
}

/**
 * float16 is viewed as 16-bit patterns: `Float16Array` exists only from Node.js 24 on, and ONNX Runtime takes
 * `Uint16Array` with every version of Node.js (see `slice/session.ts`).
 */
const VIEWS: Readonly<Record<NumericDataType, TypedArrayConstructor>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

export function elementBytes(dtype: NumericDataType): number {
  return VIEWS[dtype].BYTES_PER_ELEMENT;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function tensorBytes(tensor: RawTensor): number {
  if (tensor.dtype !== 'string') return tensor.bytes.byteLength;
  return tensor.strings.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** The elements as a typed array: a view of the tensor's bytes if they are aligned, otherwise a copy. */
export function typedView(tensor: NumericTensor): TypedArray {
  const View = VIEWS[tensor.dtype];
  // Not `slice()`: on a Buffer it returns a view with the same misalignment.
  const aligned =
    tensor.bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? tensor.bytes : new Uint8Array(tensor.bytes);
  return new View(aligned.buffer, aligned.byteOffset, aligned.byteLength / View.BYTES_PER_ELEMENT);
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Whether `value` is a list of whole numbers from 0 up whose product is a safe integer. */
export function isShape(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0) &&
    Number.isSafeInteger(elementCount(value as number[]))
  );
}

export function tensorNamed<T extends TensorHead>(tensors: ReadonlyMap<string, T>, name: string): T {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`there is no tensor '${name}'`);
  return tensor;
}

/** More sizes than this are not listed: only files and requests that are wrong have them. */
const MAX_LISTED_SIZES = 16;

/** `float32[1,3,48,320]`; an unknown size reads `?`, an unknown rank `[...]`. */
export function describeTensor(tensor: {
  readonly dtype: string;
  readonly shape: readonly (number | string | null)[] | null;
}): string {
  const { dtype, shape } = tensor;
  if (shape === null) return `${dtype}[...]`;
  if (shape.length > MAX_LISTED_SIZES) return `${dtype}[${shape.length} sizes]`;
  return `${dtype}[${shape.map((size) => size ?? '?').join(',')}]`;
}

/** Largest size of a dimension that ONNX Runtime's JavaScript binding takes. */
const MAX_SIZE = 2 ** 32 - 1;

/**
 * Why ONNX Runtime's JavaScript binding would not receive this tensor unchanged, or `undefined` if it would. The binding
 * cuts strings at NUL and replaces lone surrogates; a `bool` byte other than 0 and 1 has no meaning. A tensor without
 * elements may have any other sizes, but the binding does not take large ones, and ONNX Runtime multiplies them.
 */
export function unfitReason(tensor: RawTensor): string | undefined {
  const product = elementCount(tensor.shape.filter((size) => size > 0));
  if (tensor.shape.some((size) => size > MAX_SIZE) || product > Number.MAX_SAFE_INTEGER) {
    return 'it has no elements, but huge sizes';
  }
  if (tensor.dtype === 'string') {
    const bad = tensor.strings.findIndex((text) => /\0|\p{Surrogate}/u.test(text));
    return bad < 0 ? undefined : `string ${bad} has a NUL or a lone surrogate`;
  }
  if (tensor.dtype !== 'bool') return undefined;
  const bad = tensor.bytes.findIndex((byte) => byte > 1);
  return bad < 0 ? undefined : `bool ${bad} is a byte other than 0 and 1`;
}
