/** Element types and shapes of tensors, as the compiler, the slice functions and callers write them. */

/** Element types that can cross a cut: the types that ONNX Runtime's JavaScript binding can feed and fetch. */
export const TENSOR_DATA_TYPES = [
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
] as const;

/** An element type. */
export type TensorDataType = (typeof TENSOR_DATA_TYPES)[number];

/** A dimension: a size, the name of a symbolic size, or `null` if the size is unknown. */
export type Dimension = number | string | null;

/** A tensor as the model declares it. `shape` is `null` if even the rank is unknown. */
export interface TensorSpec {
  /** Name of the input or output. */
  readonly name: string;
  /** The element type. */
  readonly dtype: TensorDataType;
  /** Its dimensions; `null` if even their number is unknown. */
  readonly shape: readonly Dimension[] | null;
}
