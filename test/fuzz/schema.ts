/** The kinds of fields of ONNX's messages that the fuzzer distinguishes, by their numbers in onnx.proto3. */

export type MessageName =
  | 'Model'
  | 'Graph'
  | 'Node'
  | 'Attribute'
  | 'Tensor'
  | 'SparseTensor'
  | 'ValueInfo'
  | 'Type'
  | 'TensorType'
  | 'Shape'
  | 'Dimension'
  | 'Annotation'
  | 'Entry'
  | 'Opset'
  | 'Function';

/** `dim` and `elementType` are integers with mutations of their own. */
export type FieldKind = MessageName | 'text' | 'bytes' | 'integer' | 'dim' | 'elementType';

export const SCHEMA: Readonly<Record<MessageName, Readonly<Partial<Record<number, FieldKind>>>>> = {
  Model: { 1: 'integer', 2: 'text', 7: 'Graph', 8: 'Opset', 14: 'Entry', 25: 'Function' },
  Graph: {
    1: 'Node',
    2: 'text',
    5: 'Tensor',
    11: 'ValueInfo',
    12: 'ValueInfo',
    13: 'ValueInfo',
    14: 'Annotation',
    15: 'SparseTensor',
    16: 'Entry',
  },
  Node: { 1: 'text', 2: 'text', 3: 'text', 4: 'text', 5: 'Attribute', 7: 'text', 8: 'text', 9: 'Entry' },
  Attribute: {
    1: 'text',
    3: 'integer',
    4: 'bytes',
    5: 'Tensor',
    6: 'Graph',
    9: 'bytes',
    10: 'Tensor',
    11: 'Graph',
    14: 'Type',
    20: 'integer',
    21: 'text',
    22: 'SparseTensor',
    23: 'SparseTensor',
  },
  Tensor: {
    1: 'dim',
    2: 'elementType',
    4: 'bytes',
    5: 'bytes',
    6: 'bytes',
    7: 'bytes',
    8: 'text',
    9: 'bytes',
    10: 'bytes',
    11: 'bytes',
    13: 'Entry',
    14: 'integer',
  },
  SparseTensor: { 1: 'Tensor', 2: 'Tensor', 3: 'dim' },
  ValueInfo: { 1: 'text', 2: 'Type' },
  Type: { 1: 'TensorType', 6: 'text' },
  TensorType: { 1: 'elementType', 2: 'Shape' },
  Shape: { 1: 'Dimension' },
  Dimension: { 1: 'dim', 2: 'text' },
  Annotation: { 1: 'text', 2: 'Entry' },
  Entry: { 1: 'text', 2: 'text' },
  Opset: { 1: 'text', 2: 'integer' },
  Function: { 1: 'text', 4: 'text', 5: 'text', 6: 'text', 7: 'Node', 9: 'Opset', 10: 'text', 13: 'text' },
};

export function isMessage(kind: FieldKind | undefined): kind is MessageName {
  return kind !== undefined && kind in SCHEMA;
}
