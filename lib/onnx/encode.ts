/** Encodes the few ONNX messages that a slice does not copy verbatim. Field numbers are those of onnx.proto3. */
import { Writer } from 'protobufjs/minimal';
import type { Dimension } from '../../contract/tensors';

const LENGTH_DELIMITED = 2;
const EXTERNAL = 1;

/** Tag and length of a length-delimited field: what stands before its content. */
export function fieldHead(fieldNumber: number, contentBytes: number): Uint8Array {
  return new Writer().uint32(tag(fieldNumber)).uint64(contentBytes).finish();
}

/** `ValueInfoProto` of a tensor as a field of a graph; without a type it declares the name alone. */
export function encodeValueInfo(
  fieldNumber: number,
  name: string,
  type?: { readonly dataType: number; readonly shape?: readonly Dimension[] },
): Uint8Array {
  const writer = new Writer().uint32(tag(fieldNumber)).fork().uint32(tag(1)).string(name);
  if (type) {
    writer.uint32(tag(2)).fork().uint32(tag(1)).fork().uint32(8).int32(type.dataType);
    if (type.shape) encodeShape(writer, type.shape);
    writer.ldelim().ldelim();
  }
  return writer.ldelim().finish();
}

function encodeShape(writer: Writer, shape: readonly Dimension[]): void {
  writer.uint32(tag(2)).fork();
  for (const dimension of shape) {
    writer.uint32(tag(1)).fork();
    if (typeof dimension === 'number') writer.uint32(8).int64(dimension);
    else if (dimension !== null) writer.uint32(tag(2)).string(dimension);
    writer.ldelim();
  }
  writer.ldelim();
}

interface DenseTensor {
  readonly dataType: number;
  readonly dims: readonly number[];
  /** In bytes. */
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
  for (const [key, value] of Object.entries(entries)) encodeEntry(writer, 13, key, value);
  return writer.uint32(112).int32(EXTERNAL).finish();
}

/** `TensorProto` up to its raw data, which the caller appends. */
export function encodeTensorHead(name: string, tensor: DenseTensor): Uint8Array {
  return tensorHead(name, tensor).uint32(tag(9)).uint64(tensor.byteLength).finish();
}

function tensorHead(name: string, tensor: DenseTensor): Writer {
  const writer = new Writer().uint32(tag(1)).fork();
  for (const dim of tensor.dims) writer.int64(dim);
  return writer.ldelim().uint32(16).int32(tensor.dataType).uint32(tag(8)).string(name);
}

/** An entry of a model's `metadata_props`. */
export function encodeMetadata(key: string, value: string): Uint8Array {
  const writer = new Writer();
  encodeEntry(writer, 14, key, value);
  return writer.finish();
}

/** A graph's name. */
export function encodeGraphName(name: string): Uint8Array {
  return new Writer().uint32(tag(2)).string(name).finish();
}

function encodeEntry(writer: Writer, fieldNumber: number, key: string, value: string): void {
  writer.uint32(tag(fieldNumber)).fork().uint32(tag(1)).string(key).uint32(tag(2)).string(value).ldelim();
}

function tag(fieldNumber: number): number {
  return (fieldNumber << 3) | LENGTH_DELIMITED;
}
