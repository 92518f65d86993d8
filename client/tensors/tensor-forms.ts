/** The forms in which an application has a tensor. */
import type { TensorDataType } from '../../contract/tensors';
import type { RawTensor } from '../../lambda/tensors/tensor';

/** The array of a tensor's elements, by element type. */
export interface ElementArrays {
  /** float32. */
  readonly float32: Float32Array;
  /** float64. */
  readonly float64: Float64Array;
  /** The bits: `Float16Array` exists only from Node.js 24 on. `toNestedArray` has the numbers. */
  readonly float16: Uint16Array;
  /** int8. */
  readonly int8: Int8Array;
  /** int16. */
  readonly int16: Int16Array;
  /** int32. */
  readonly int32: Int32Array;
  /** int64, as bigints. */
  readonly int64: BigInt64Array;
  /** uint8. */
  readonly uint8: Uint8Array;
  /** uint16. */
  readonly uint16: Uint16Array;
  /** uint32. */
  readonly uint32: Uint32Array;
  /** uint64, as bigints. */
  readonly uint64: BigUint64Array;
  /** 0 and 1. */
  readonly bool: Uint8Array;
  /** A flat list of strings. */
  readonly string: readonly string[];
}

/** A tensor with its elements in row-major order. Compare `dtype` to narrow the type of `data`. */
export type TypedTensor = {
  readonly [D in TensorDataType]: {
    /** The element type. */
    readonly dtype: D;
    /** Sizes; `[]` for a scalar. */
    readonly shape: readonly number[];
    /** The elements in row-major order. */
    readonly data: ElementArrays[D];
  };
}[TensorDataType];

/** A tensor that an application passes as a typed array, or as a flat list of strings. */
export interface ArrayTensor {
  /**
   * The element type. The kind of the array must fit it.
   * @default - that of the model's input
   */
  readonly dtype?: TensorDataType;
  /** Sizes whose product is the number of elements; `[]` for a scalar. */
  readonly shape: readonly number[];
  /**
   * The elements in row-major order: the array of `ElementArrays`. Also, a `Float16Array` for float16 and a
   * `Uint8ClampedArray` for uint8.
   */
  readonly data: ArrayBufferView | readonly string[];
}

/**
 * A tensor as nested lists, like `[[1, 2], [3, 4]]`, or as one element for a scalar. The model's input has the element type. Elements
 * are numbers, for bool `true` and `false`, for strings texts. Those of int64 and uint64 may also be a bigint or a text of digits.
 */
export type NestedArray = number | bigint | boolean | string | readonly NestedArray[];

/** The forms that `infer` takes. */
export type TensorInput = RawTensor | ArrayTensor | NestedArray;

/** The tensors of an inference by name. A `Map` can have names such as `__proto__` without precaution. */
export type TensorInputs = Readonly<Record<string, TensorInput>> | ReadonlyMap<string, TensorInput>;
