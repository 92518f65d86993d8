/**
 * Numbers of the protobuf fields and wire types that this library reads or writes.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3
 * @see https://protobuf.dev/programming-guides/encoding/
 */

export const WIRE_TYPE = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** `ModelProto` */
export const MODEL = {
  irVersion: 1,
  graph: 7,
  opsetImport: 8,
  metadataProps: 14,
  trainingInfo: 20,
  functions: 25,
} as const;

/** `OperatorSetIdProto` */
export const OPSET = { domain: 1, version: 2 } as const;

/** `GraphProto` */
export const GRAPH = {
  node: 1,
  name: 2,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
  metadataProps: 16,
} as const;

/** `NodeProto` */
export const NODE = {
  input: 1,
  output: 2,
  name: 3,
  opType: 4,
  attribute: 5,
  domain: 7,
  overload: 8,
} as const;

/** `AttributeProto` */
export const ATTRIBUTE = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  g: 6,
  ints: 8,
  strings: 9,
  tensors: 10,
  graphs: 11,
  type: 20,
  refAttrName: 21,
  sparseTensor: 22,
  sparseTensors: 23,
} as const;

/** `AttributeProto.AttributeType` */
export const ATTRIBUTE_TYPE_INT = 2;

/** `FunctionProto` */
export const FUNCTION = {
  name: 1,
  input: 4,
  output: 5,
  node: 7,
  opsetImport: 9,
  domain: 10,
  attributeProto: 11,
  valueInfo: 12,
  overload: 13,
} as const;

/** `TensorProto` */
export const TENSOR = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  dataLocation: 14,
} as const;

/** `TensorProto.DataLocation` */
export const DATA_LOCATION_EXTERNAL = 1;

/** `StringStringEntryProto` */
export const ENTRY = { key: 1, value: 2 } as const;

/** `ValueInfoProto` */
export const VALUE_INFO = { name: 1, type: 2 } as const;

/** `TypeProto` */
export const TYPE = { tensorType: 1, denotation: 6 } as const;

/** `TypeProto.Tensor` */
export const TENSOR_TYPE = { elemType: 1, shape: 2 } as const;

/** `TensorShapeProto` */
export const SHAPE = { dim: 1 } as const;

/** `TensorShapeProto.Dimension` */
export const DIMENSION = { dimValue: 1, dimParam: 2 } as const;

export function fieldTag(fieldNumber: number, wireType: number): number {
  return (fieldNumber << 3) | wireType;
}
