/** ONNX's element types: numbers, names and widths. */
import { type TensorDataType, TENSOR_DATA_TYPES } from '../../contract/tensors';
import elementTypes from './element-types.json';

interface ElementType {
  /** The name in this library. ONNX Runtime's JavaScript API uses the same name for the types that it supports. */
  readonly name: string;
  /** Bits of a stored element; 0 for strings, which have no fixed width. */
  readonly bits: number;
}

/** By number of `TensorProto.DataType` (onnx.proto3 of ONNX 1.20). */
const ELEMENT_TYPES: Readonly<Partial<Record<number, ElementType>>> = elementTypes;

export const ONNX_FLOAT = 1;
export const ONNX_UINT8 = 2;
export const ONNX_INT8 = 3;
export const ONNX_INT32 = 6;
export const ONNX_INT64 = 7;
export const ONNX_STRING = 8;
export const ONNX_FLOAT16 = 10;
export const ONNX_DOUBLE = 11;
export const ONNX_UINT64 = 13;
export const ONNX_BFLOAT16 = 16;

/** The name of an element type; for a number that ONNX does not define, such as 42, `type 42`. */
export function dataTypeName(onnxType: number): string {
  return ELEMENT_TYPES[onnxType]?.name ?? `type ${onnxType}`;
}

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries(ELEMENT_TYPES).map(([number, type]) => [type?.name ?? '', Number(number)]),
);

/** The number of an element type; 0, which stands for an undefined type, for a name that ONNX does not define. */
export function onnxDataType(name: string): number {
  return NUMBERS.get(name) ?? 0;
}

/** Bytes of a dense tensor; `undefined` for strings and unknown types. */
export function packedBytes(onnxType: number, elements: number): number | undefined {
  const bits = ELEMENT_TYPES[onnxType]?.bits ?? 0;
  return bits === 0 ? undefined : Math.ceil((elements * bits) / 8);
}

export function isBindable(name: string): name is TensorDataType {
  return (TENSOR_DATA_TYPES as readonly string[]).includes(name);
}
