/** Encodes the few ONNX messages that a slice does not copy verbatim. */
import { Writer } from 'protobufjs/minimal';
import type { Dimension } from '../../contract/tensors';
import * as proto from './fields';
import type { Chunk } from './model';

/** Tag and length of a length-delimited field: the bytes before its content. */
export function fieldHead(fieldNumber: number, contentBytes: number): Uint8Array {
  return new Writer().uint32(delimited(fieldNumber)).uint64(contentBytes).finish();
}

/** A field with a message, or with bytes. */
export function field(fieldNumber: number, ...content: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([fieldHead(fieldNumber, totalLength(content)), ...content]);
}

export function textField(fieldNumber: number, text: string): Uint8Array {
  return new Writer().uint32(delimited(fieldNumber)).string(text).finish();
}

export function integerField(fieldNumber: number, value: number): Uint8Array {
  return new Writer().uint32(proto.fieldTag(fieldNumber, proto.WIRE_TYPE.varint)).int64(value).finish();
}

/** `ValueInfoProto` of a tensor as field `fieldNumber` of a graph; without `type` it has only the name. */
export function encodeValueInfo(
  fieldNumber: number,
  name: string,
  type?: { readonly dataType: number; readonly shape?: readonly Dimension[] },
): Uint8Array {
  const named = textField(proto.VALUE_INFO.name, name);
  if (type === undefined) return field(fieldNumber, named);
  const elements = integerField(proto.TENSOR_TYPE.elemType, type.dataType);
  const shape = type.shape ? [field(proto.TENSOR_TYPE.shape, ...type.shape.map(encodeDimension))] : [];
  const tensor = field(proto.TYPE.tensorType, elements, ...shape);
  return field(fieldNumber, named, field(proto.VALUE_INFO.type, tensor));
}

function encodeDimension(dimension: Dimension): Uint8Array {
  if (dimension === null) return field(proto.SHAPE.dim);
  return field(
    proto.SHAPE.dim,
    typeof dimension === 'number'
      ? integerField(proto.DIMENSION.dimValue, dimension)
      : textField(proto.DIMENSION.dimParam, dimension),
  );
}

interface NodeParts {
  /** @default - ai.onnx */
  readonly domain?: string;
  readonly name?: string;
  /** Encoded attributes, see `encodeInteger`. */
  readonly attributes?: readonly Uint8Array[];
}

/** A node as a field of a graph. */
export function encodeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { domain = '', name = '', attributes = [] }: NodeParts = {},
): Uint8Array {
  return field(
    proto.GRAPH.node,
    ...inputs.map((input) => textField(proto.NODE.input, input)),
    ...outputs.map((output) => textField(proto.NODE.output, output)),
    ...(name === '' ? [] : [textField(proto.NODE.name, name)]),
    textField(proto.NODE.opType, opType),
    ...attributes.map((attribute) => field(proto.NODE.attribute, attribute)),
    ...(domain === '' ? [] : [textField(proto.NODE.domain, domain)]),
  );
}

/** `AttributeProto` with an integer. */
export function encodeInteger(name: string, value: number): Uint8Array {
  return Buffer.concat([
    textField(proto.ATTRIBUTE.name, name),
    integerField(proto.ATTRIBUTE.i, value),
    integerField(proto.ATTRIBUTE.type, proto.ATTRIBUTE_TYPE_INT),
  ]);
}

interface DenseTensor {
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly byteLength: number;
}

/** A field of a graph: a tensor with its data. */
export function encodeTensor(
  name: string,
  tensor: Omit<DenseTensor, 'byteLength'>,
  data: Uint8Array,
): Uint8Array {
  return field(proto.GRAPH.initializer, tensorHead(name, tensor), field(proto.TENSOR.rawData, data));
}

/** `TensorProto` with its data in another file. */
export function encodeExternalTensor(
  name: string,
  tensor: DenseTensor,
  { location, offset }: { readonly location: string; readonly offset: number },
): Uint8Array {
  const entries = { location, offset: String(offset), length: String(tensor.byteLength) };
  return Buffer.concat([
    tensorHead(name, tensor),
    ...Object.entries(entries).map(([key, value]) => encodeEntry(proto.TENSOR.externalData, key, value)),
    integerField(proto.TENSOR.dataLocation, proto.DATA_LOCATION_EXTERNAL),
  ]);
}

export function encodeTensorHead(name: string, tensor: DenseTensor): Uint8Array {
  return Buffer.concat([tensorHead(name, tensor), fieldHead(proto.TENSOR.rawData, tensor.byteLength)]);
}

function tensorHead(name: string, { dataType, dims }: Omit<DenseTensor, 'byteLength'>): Uint8Array {
  const sizes = new Writer();
  for (const dim of dims) sizes.int64(dim);
  return Buffer.concat([
    field(proto.TENSOR.dims, sizes.finish()),
    integerField(proto.TENSOR.dataType, dataType),
    textField(proto.TENSOR.name, name),
  ]);
}

export function encodeMetadata(key: string, value: string): Uint8Array {
  return encodeEntry(proto.MODEL.metadataProps, key, value);
}

export function encodeGraphName(name: string): Uint8Array {
  return textField(proto.GRAPH.name, name);
}

function encodeEntry(fieldNumber: number, key: string, value: string): Uint8Array {
  return field(fieldNumber, textField(proto.ENTRY.key, key), textField(proto.ENTRY.value, value));
}

function delimited(fieldNumber: number): number {
  return proto.fieldTag(fieldNumber, proto.WIRE_TYPE.lengthDelimited);
}

export function totalLength(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

export function submessage(fieldNumber: number, content: readonly Chunk[]): Chunk[] {
  return [fieldHead(fieldNumber, totalLength(content)), ...content];
}

export function padding(length: number, alignment: number): Uint8Array {
  return new Uint8Array((alignment - (length % alignment)) % alignment);
}
