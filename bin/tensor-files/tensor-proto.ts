/** Decodes ONNX's file format for one tensor, a serialized `TensorProto`. */
import { Reader } from 'protobufjs/minimal';
import { TENSOR_DATA_TYPES } from '../../contract/tensors';
import {
  bytesOf,
  describeTensor,
  elementBytes,
  elementCount,
  isShape,
  type NumericDataType,
  type RawTensor,
} from '../../lambda/tensors/tensor';
import { dataTypeName, isBindable } from '../../lib/onnx/data-type';
import { TENSOR, WIRE_TYPE, splitTag } from '../../lib/onnx/fields';
import { BadContent, utf8 } from './bad-content';

interface NamedTensor {
  /** Empty when the file has none. */
  readonly name: string;
  readonly tensor: RawTensor;
}

interface TensorProto {
  name: string;
  dataType: number;
  external: boolean;
  readonly dims: bigint[];
  /** `undefined` when the file lacks the field; empty when the field has no elements. */
  raw?: Uint8Array;
  /** The bytes of `float_data` and `double_data`, undecoded, so that every NaN keeps its bits. */
  readonly fixed: Uint8Array[];
  /** `int32_data`, `int64_data` and `uint64_data`. */
  readonly integers: bigint[];
  readonly strings: Uint8Array[];
}

/**
 * Decodes a tensor whose elements lie inside the file, as raw data or in typed fields.
 *
 * @throws BadContent when the file is not such a `TensorProto`
 */
export function decodeTensorProto(file: Uint8Array): NamedTensor {
  const proto = readFields(file);
  if (proto.external) {
    throw new BadContent(
      'a TensorProto that holds its elements',
      'external data',
      'save it without external data',
    );
  }
  const shape = proto.dims.map(Number);
  if (!isShape(shape)) throw new BadContent('of a sane shape', `[${proto.dims.join(',')}]`, 'write it again');
  const dtype = dataTypeName(proto.dataType);
  if (!isBindable(dtype)) {
    const known = TENSOR_DATA_TYPES.join(', ');
    throw new BadContent(`a TensorProto of ${known}`, `its type ${proto.dataType}`, 'convert it');
  }
  if (dtype === 'string') return { name: proto.name, tensor: stringTensor(proto, shape) };
  const bytes = elementsOf(proto, dtype);
  const expected = elementCount(shape) * elementBytes(dtype);
  if (bytes.byteLength !== expected) {
    const what = `${describeTensor({ dtype, shape })}, ${expected} bytes`;
    throw new BadContent(what, `${bytes.byteLength} bytes`, 'write it again');
  }
  return { name: proto.name, tensor: { dtype, shape, bytes } };
}

function readFields(file: Uint8Array): TensorProto {
  const lists = { dims: [], fixed: [], integers: [], strings: [] };
  const proto: TensorProto = { name: '', dataType: 0, external: false, ...lists };
  const reader = Reader.create(file);
  const readers: Readonly<Partial<Record<number, (wireType: number) => unknown>>> = {
    [TENSOR.dims]: (wireType) => readVarints(reader, wireType, proto.dims),
    [TENSOR.dataType]: () => (proto.dataType = reader.int32()),
    [TENSOR.floatData]: (wireType) => proto.fixed.push(readFixed(reader, wireType, 4)),
    [TENSOR.doubleData]: (wireType) => proto.fixed.push(readFixed(reader, wireType, 8)),
    [TENSOR.int32Data]: (wireType) => readVarints(reader, wireType, proto.integers),
    [TENSOR.int64Data]: (wireType) => readVarints(reader, wireType, proto.integers),
    [TENSOR.uint64Data]: (wireType) => readVarints(reader, wireType, proto.integers),
    [TENSOR.stringData]: () => proto.strings.push(reader.bytes()),
    [TENSOR.name]: () => (proto.name = reader.string()),
    [TENSOR.rawData]: () => (proto.raw = reader.bytes()),
    [TENSOR.externalData]: () => (proto.external = reader.bytes().length > 0),
  };
  try {
    while (reader.pos < reader.len) {
      const { fieldNumber, wireType } = splitTag(reader.uint32());
      const read = readers[fieldNumber] ?? (() => reader.skipType(wireType));
      read(wireType);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadContent(
      'an ONNX TensorProto',
      `other content (${reason})`,
      'write it with onnx.save_tensor',
    );
  }
  return proto;
}

/** Reads a repeated integer field, packed or not. @returns the number of all its integers so far */
function readVarints(reader: Reader, wireType: number, target: bigint[]): number {
  const end = wireType === WIRE_TYPE.lengthDelimited ? reader.uint32() + reader.pos : reader.pos + 1;
  while (reader.pos < end) {
    const { low, high } = reader.int64();
    target.push(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)));
  }
  return target.length;
}

function readFixed(reader: Reader, wireType: number, bytes: number): Uint8Array {
  if (wireType === WIRE_TYPE.lengthDelimited) return reader.bytes();
  const start = reader.pos;
  reader.skip(bytes);
  return reader.buf.subarray(start, start + bytes);
}

function elementsOf({ raw, fixed, integers }: TensorProto, dtype: NumericDataType): Uint8Array {
  if (raw !== undefined) return raw;
  if (dtype === 'float32' || dtype === 'float64') return Buffer.concat(fixed);
  return integerBytes(integers, elementBytes(dtype));
}

/**
 * Little-endian elements from typed fields: the lower bytes of each value. `int32_data` also holds smaller integers, bools and
 * the bits of float16; `uint64_data` also holds uint32.
 */
function integerBytes(values: readonly bigint[], bytesEach: number): Uint8Array {
  const wide = bytesOf(BigInt64Array.from(values));
  return wide.filter((_, index) => index % 8 < bytesEach);
}

function stringTensor({ strings }: TensorProto, shape: readonly number[]): RawTensor {
  if (strings.length !== elementCount(shape)) {
    throw new BadContent(`${elementCount(shape)} strings`, String(strings.length), 'write it again');
  }
  return { dtype: 'string', shape, strings: strings.map((text) => utf8(text, 'encode them as UTF-8')) };
}
