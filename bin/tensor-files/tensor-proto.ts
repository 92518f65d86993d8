/** ONNX's own file for one tensor. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
import { Reader } from 'protobufjs/minimal';
import { describeTensor, elementBytes, elementCount, isShape } from '../../lambda/tensors/tensor';
import type { NumericDataType, RawTensor } from '../../lambda/tensors/tensor';
import { BadContent } from './tensor-file-error';

const FIELD = {
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
} as const;

const LENGTH_DELIMITED = 2;

/** TensorProto.DataType */
const STRING = 8;
const DATA_TYPES = new Map<number, NumericDataType>([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'float64'],
  [12, 'uint32'],
  [13, 'uint64'],
]);

export interface NamedTensor {
  /** Empty when the file gives none. */
  readonly name: string;
  readonly tensor: RawTensor;
}

interface TensorProto {
  name: string;
  dataType: number;
  external: boolean;
  readonly dims: bigint[];
  /** Present when the file has the field at all, if only for no elements. */
  raw: Uint8Array | undefined;
  /** `float_data` and `double_data` as they lie in the file, so that no NaN changes on the way. */
  readonly fixed: Uint8Array[];
  /** `int32_data`, `int64_data` and `uint64_data`. */
  readonly integers: bigint[];
  readonly strings: Uint8Array[];
}

/** @throws BadContent */
export function decodeTensorProto(file: Uint8Array): NamedTensor {
  const proto = readFields(file);
  if (proto.external) {
    throw new BadContent('a tensor with its elements inside', 'external data', 'write it with them inside');
  }
  const shape = proto.dims.map(Number);
  if (!isShape(shape)) throw new BadContent('of a sane shape', `[${proto.dims.join(',')}]`, 'write it again');
  if (proto.dataType === STRING) return { name: proto.name, tensor: stringTensor(proto, shape) };
  const dtype = DATA_TYPES.get(proto.dataType);
  if (dtype === undefined) {
    const known = [...DATA_TYPES.values(), 'string'].join(', ');
    throw new BadContent(`a TensorProto of ${known}`, `its type ${proto.dataType}`, 'convert it');
  }
  const bytes = elementsOf(proto, dtype);
  const expected = elementCount(shape) * elementBytes(dtype);
  if (bytes.byteLength !== expected) {
    const what = `${describeTensor({ dtype, shape })}, ${expected} bytes`;
    throw new BadContent(what, `${bytes.byteLength} bytes`, 'write it again');
  }
  return { name: proto.name, tensor: { dtype, shape, bytes } };
}

function readFields(file: Uint8Array): TensorProto {
  const proto: TensorProto = {
    name: '',
    dataType: 0,
    external: false,
    dims: [],
    raw: undefined,
    fixed: [],
    integers: [],
    strings: [],
  };
  const reader = Reader.create(file);
  try {
    while (reader.pos < reader.len) readField(reader, reader.uint32(), proto);
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

function readField(reader: Reader, tag: number, proto: TensorProto): void {
  const wireType = tag & 7;
  switch (tag >>> 3) {
    case FIELD.dims:
      readVarints(reader, wireType, proto.dims);
      break;
    case FIELD.dataType:
      proto.dataType = reader.int32();
      break;
    case FIELD.floatData:
      proto.fixed.push(readFixed(reader, wireType, 4));
      break;
    case FIELD.doubleData:
      proto.fixed.push(readFixed(reader, wireType, 8));
      break;
    case FIELD.int32Data:
    case FIELD.int64Data:
    case FIELD.uint64Data:
      readVarints(reader, wireType, proto.integers);
      break;
    case FIELD.stringData:
      proto.strings.push(reader.bytes());
      break;
    case FIELD.name:
      proto.name = reader.string();
      break;
    case FIELD.rawData:
      proto.raw = reader.bytes();
      break;
    case FIELD.externalData:
      proto.external = true;
      reader.skipType(wireType);
      break;
    default:
      reader.skipType(wireType);
  }
}

/** Repeated numbers come packed or one by one. */
function readVarints(reader: Reader, wireType: number, target: bigint[]): void {
  const end = wireType === LENGTH_DELIMITED ? reader.uint32() + reader.pos : reader.pos + 1;
  while (reader.pos < end) {
    const { low, high } = reader.int64();
    target.push(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)));
  }
}

function readFixed(reader: Reader, wireType: number, bytes: number): Uint8Array {
  if (wireType === LENGTH_DELIMITED) return reader.bytes();
  const start = reader.pos;
  reader.skip(bytes);
  return reader.buf.subarray(start, start + bytes);
}

function elementsOf({ raw, fixed, integers }: TensorProto, dtype: NumericDataType): Uint8Array {
  if (raw !== undefined) return raw;
  if (dtype === 'float32' || dtype === 'float64') return Buffer.concat(fixed);
  return integerBytes(integers, elementBytes(dtype));
}

/** `int32_data` also holds the smaller integers, bools and the bits of float16; `uint64_data` also uint32. */
function integerBytes(values: readonly bigint[], bytesEach: number): Uint8Array {
  const bytes = new Uint8Array(values.length * bytesEach);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    const position = index * bytesEach;
    if (bytesEach === 8) view.setBigInt64(position, value, true);
    else if (bytesEach === 4) view.setInt32(position, Number(BigInt.asIntN(32, value)), true);
    else if (bytesEach === 2) view.setInt16(position, Number(BigInt.asIntN(16, value)), true);
    else view.setInt8(position, Number(BigInt.asIntN(8, value)));
  });
  return bytes;
}

function stringTensor({ strings }: TensorProto, shape: readonly number[]): RawTensor {
  if (strings.length !== elementCount(shape)) {
    throw new BadContent(`${elementCount(shape)} strings`, String(strings.length), 'write it again');
  }
  return { dtype: 'string', shape, strings: strings.map(utf8) };
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The decoder says no more than that it failed.
    throw new BadContent('UTF-8 strings', 'other bytes', 'encode them as UTF-8');
  }
}
