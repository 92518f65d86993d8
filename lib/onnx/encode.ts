/** Encodes the few ONNX messages that a slice does not copy verbatim. */
import { Writer } from 'protobufjs/minimal';
import type { Dimension } from '../../contract/tensors';
import { ONNX_INT64 } from './data-type';
import * as proto from './fields';
import type { Chunk } from './model';

/** Tag and length of a length-delimited field: the bytes before its content. */
export function fieldHead(fieldNumber: number, contentBytes: number): Uint8Array {
  return new Writer().uint32(delimited(fieldNumber)).uint64(contentBytes).finish();
}

/** `ValueInfoProto` of a tensor as field `fieldNumber` of a graph; without `type` it has only the name. */
export function encodeValueInfo(
  fieldNumber: number,
  name: string,
  type?: { readonly dataType: number; readonly shape?: readonly Dimension[] },
): Uint8Array {
  const writer = new Writer().uint32(delimited(fieldNumber)).fork();
  writer.uint32(delimited(proto.VALUE_INFO.name)).string(name);
  if (type) {
    writer.uint32(delimited(proto.VALUE_INFO.type)).fork().uint32(delimited(proto.TYPE.tensorType)).fork();
    writer.uint32(varint(proto.TENSOR_TYPE.elemType)).int32(type.dataType);
    if (type.shape) encodeShape(writer, type.shape);
    writer.ldelim().ldelim();
  }
  return writer.ldelim().finish();
}

function encodeShape(writer: Writer, shape: readonly Dimension[]): void {
  writer.uint32(delimited(proto.TENSOR_TYPE.shape)).fork();
  for (const dimension of shape) {
    writer.uint32(delimited(proto.SHAPE.dim)).fork();
    if (typeof dimension === 'number') writer.uint32(varint(proto.DIMENSION.dimValue)).int64(dimension);
    else if (dimension !== null) writer.uint32(delimited(proto.DIMENSION.dimParam)).string(dimension);
    writer.ldelim();
  }
  writer.ldelim();
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
  const writer = new Writer().uint32(delimited(proto.GRAPH.node)).fork();
  for (const input of inputs) writer.uint32(delimited(proto.NODE.input)).string(input);
  for (const output of outputs) writer.uint32(delimited(proto.NODE.output)).string(output);
  if (name !== '') writer.uint32(delimited(proto.NODE.name)).string(name);
  writer.uint32(delimited(proto.NODE.opType)).string(opType);
  for (const attribute of attributes) writer.uint32(delimited(proto.NODE.attribute)).bytes(attribute);
  if (domain !== '') writer.uint32(delimited(proto.NODE.domain)).string(domain);
  return writer.ldelim().finish();
}

/** `AttributeProto` with an integer. */
export function encodeInteger(name: string, value: number): Uint8Array {
  const writer = new Writer().uint32(delimited(proto.ATTRIBUTE.name)).string(name);
  writer.uint32(varint(proto.ATTRIBUTE.i)).int64(value);
  return writer.uint32(varint(proto.ATTRIBUTE.type)).int32(proto.ATTRIBUTE_TYPE_INT).finish();
}

/** A field of a graph: a tensor with its data. */
export function encodeTensor(
  name: string,
  tensor: Omit<DenseTensor, 'byteLength'>,
  data: Uint8Array,
): Uint8Array {
  const writer = tensorHead(name, { ...tensor, byteLength: data.length });
  const content = writer.uint32(delimited(proto.TENSOR.rawData)).bytes(data).finish();
  return new Writer().uint32(delimited(proto.GRAPH.initializer)).bytes(content).finish();
}

/** A field of a graph: a tensor of int64, of rank 1 or a scalar. */
export function encodeIntegers(name: string, values: readonly number[], isScalar = false): Uint8Array {
  const writer = new Writer().uint32(delimited(proto.GRAPH.initializer)).fork();
  const data = new BigInt64Array(values.map(BigInt));
  if (!isScalar) writer.uint32(delimited(proto.TENSOR.dims)).fork().int64(values.length).ldelim();
  writer.uint32(varint(proto.TENSOR.dataType)).int32(ONNX_INT64);
  writer.uint32(delimited(proto.TENSOR.name)).string(name);
  return writer.uint32(delimited(proto.TENSOR.rawData)).bytes(new Uint8Array(data.buffer)).ldelim().finish();
}

interface DenseTensor {
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly byteLength: number;
}

/** `TensorProto` with its data in another file. */
export function encodeExternalTensor(
  name: string,
  tensor: DenseTensor,
  { location, offset }: { readonly location: string; readonly offset: number },
): Uint8Array {
  const writer = tensorHead(name, tensor);
  const entries = { location, offset: String(offset), length: String(tensor.byteLength) };
  for (const [key, value] of Object.entries(entries))
    encodeEntry(writer, proto.TENSOR.externalData, key, value);
  return writer.uint32(varint(proto.TENSOR.dataLocation)).int32(proto.DATA_LOCATION_EXTERNAL).finish();
}

export function encodeTensorHead(name: string, tensor: DenseTensor): Uint8Array {
  return tensorHead(name, tensor).uint32(delimited(proto.TENSOR.rawData)).uint64(tensor.byteLength).finish();
}

function tensorHead(name: string, tensor: DenseTensor): Writer {
  const writer = new Writer().uint32(delimited(proto.TENSOR.dims)).fork();
  for (const dim of tensor.dims) writer.int64(dim);
  writer.ldelim().uint32(varint(proto.TENSOR.dataType)).int32(tensor.dataType);
  return writer.uint32(delimited(proto.TENSOR.name)).string(name);
}

export function encodeMetadata(key: string, value: string): Uint8Array {
  const writer = new Writer();
  encodeEntry(writer, proto.MODEL.metadataProps, key, value);
  return writer.finish();
}

export function encodeGraphName(name: string): Uint8Array {
  return new Writer().uint32(delimited(proto.GRAPH.name)).string(name).finish();
}

function encodeEntry(writer: Writer, fieldNumber: number, key: string, value: string): void {
  writer.uint32(delimited(fieldNumber)).fork().uint32(delimited(proto.ENTRY.key)).string(key);
  writer.uint32(delimited(proto.ENTRY.value)).string(value).ldelim();
}

function delimited(fieldNumber: number): number {
  return proto.fieldTag(fieldNumber, proto.WIRE_TYPE.lengthDelimited);
}

function varint(fieldNumber: number): number {
  return proto.fieldTag(fieldNumber, proto.WIRE_TYPE.varint);
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
