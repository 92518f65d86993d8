import { Writer } from 'protobufjs/minimal';
import { decodeTensorProto } from '../../../bin/tensor-files/tensor-proto';
import { typedView, type NumericTensor } from '../../../lambda/tensors/tensor';
import { ENTRY, TENSOR, WIRE_TYPE, fieldTag } from '../../../lib/onnx/fields';

const DIMS = fieldTag(TENSOR.dims, WIRE_TYPE.varint);
const DATA_TYPE = fieldTag(TENSOR.dataType, WIRE_TYPE.varint);
const FLOAT_DATA = fieldTag(TENSOR.floatData, WIRE_TYPE.lengthDelimited);
const UNPACKED_FLOAT_DATA = fieldTag(TENSOR.floatData, WIRE_TYPE.fixed32);
const INT32_DATA = fieldTag(TENSOR.int32Data, WIRE_TYPE.lengthDelimited);
const STRING_DATA = fieldTag(TENSOR.stringData, WIRE_TYPE.lengthDelimited);
const INT64_DATA = fieldTag(TENSOR.int64Data, WIRE_TYPE.lengthDelimited);
const UNPACKED_INT64_DATA = fieldTag(TENSOR.int64Data, WIRE_TYPE.varint);
const NAME = fieldTag(TENSOR.name, WIRE_TYPE.lengthDelimited);
const RAW_DATA = fieldTag(TENSOR.rawData, WIRE_TYPE.lengthDelimited);
const DOUBLE_DATA = fieldTag(TENSOR.doubleData, WIRE_TYPE.lengthDelimited);
const UINT64_DATA = fieldTag(TENSOR.uint64Data, WIRE_TYPE.lengthDelimited);
const EXTERNAL_DATA = fieldTag(TENSOR.externalData, WIRE_TYPE.lengthDelimited);
const ENTRY_KEY = fieldTag(ENTRY.key, WIRE_TYPE.lengthDelimited);

/** The start of a tensor of two elements. */
function two(dataType: number): Writer {
  return Writer.create().uint32(DIMS).int64(2).uint32(DATA_TYPE).int32(dataType);
}

function packed(writer: Writer, tag: number, write: (inner: Writer) => unknown): Uint8Array {
  writer.uint32(tag).fork();
  write(writer);
  return writer.ldelim().finish();
}

function elements(file: Uint8Array): unknown[] {
  return [...typedView(decodeTensorProto(file).tensor as NumericTensor)];
}

describe('decodeTensorProto', () => {
  it('returns the name, type, shape and raw bytes', () => {
    const file = two(1).uint32(NAME).string('x').uint32(RAW_DATA).bytes(Buffer.alloc(8, 1)).finish();
    expect(decodeTensorProto(file)).toMatchObject({ name: 'x', tensor: { dtype: 'float32', shape: [2] } });
    expect(Buffer.from((decodeTensorProto(file).tensor as NumericTensor).bytes)).toEqual(Buffer.alloc(8, 1));
  });

  it('returns an empty name when the file has none', () => {
    expect(decodeTensorProto(two(9).uint32(RAW_DATA).bytes(Buffer.of(0, 1)).finish()).name).toBe('');
  });

  it.each<[string, Uint8Array, unknown[]]>([
    ['float32', packed(two(1), FLOAT_DATA, (data) => data.float(1.5).float(-0)), [1.5, -0]],
    ['float64', packed(two(11), DOUBLE_DATA, (data) => data.double(0.1).double(-2)), [0.1, -2]],
    [
      'float16 as bits in int32_data',
      packed(two(10), INT32_DATA, (data) => data.int32(0x3e00).int32(0xc000)),
      [0x3e00, 0xc000],
    ],
    ['int8', packed(two(3), INT32_DATA, (data) => data.int32(-1).int32(127)), [-1, 127]],
    ['uint8', packed(two(2), INT32_DATA, (data) => data.int32(255).int32(0)), [255, 0]],
    ['int16', packed(two(5), INT32_DATA, (data) => data.int32(-300).int32(2)), [-300, 2]],
    ['uint16', packed(two(4), INT32_DATA, (data) => data.int32(65535).int32(2)), [65535, 2]],
    ['int32', packed(two(6), INT32_DATA, (data) => data.int32(-70000).int32(2)), [-70000, 2]],
    ['bool', packed(two(9), INT32_DATA, (data) => data.int32(1).int32(0)), [1, 0]],
    [
      'int64',
      packed(two(7), INT64_DATA, (data) => data.int64('-1152921504606846976').int64(5)),
      [-(2n ** 60n), 5n],
    ],
    ['uint32', packed(two(12), UINT64_DATA, (data) => data.uint64(4294967295).uint64(2)), [4294967295, 2]],
    [
      'uint64',
      packed(two(13), UINT64_DATA, (data) => data.uint64('18446744073709551615').uint64(2)),
      [2n ** 64n - 1n, 2n],
    ],
    [
      'float32 one by one',
      two(1).uint32(UNPACKED_FLOAT_DATA).float(1).uint32(UNPACKED_FLOAT_DATA).float(2).finish(),
      [1, 2],
    ],
    [
      'int64 one by one',
      two(7).uint32(UNPACKED_INT64_DATA).int64(1).uint32(UNPACKED_INT64_DATA).int64(-2).finish(),
      [1n, -2n],
    ],
  ])('decodes %s from typed fields', (_, file, expected) => {
    expect(elements(file)).toEqual(expected);
  });

  it('preserves the bits of every NaN', () => {
    const signalling = Buffer.of(1, 0, 0x80, 0x7f, 2, 0, 0xc0, 0xff);
    const file = two(1).uint32(FLOAT_DATA).bytes(signalling).finish();
    expect(Buffer.from((decodeTensorProto(file).tensor as NumericTensor).bytes)).toEqual(signalling);
  });

  it('decodes strings', () => {
    const file = two(8).uint32(STRING_DATA).string('ü').uint32(STRING_DATA).string('').finish();
    expect(decodeTensorProto(file).tensor).toEqual({ dtype: 'string', shape: [2], strings: ['ü', ''] });
  });

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'its type 0'],
    ['a file of another format', Buffer.from('a text file'), 'an ONNX TensorProto, got other content'],
    ['a truncated file', two(1).uint32(RAW_DATA).uint32(100).finish(), 'got other content'],
    ['a tensor of bfloat16', two(16).uint32(RAW_DATA).bytes(Buffer.alloc(4)).finish(), 'its type 16'],
    [
      'a tensor with external data',
      packed(two(1), EXTERNAL_DATA, (entry) => entry.uint32(ENTRY_KEY).string('location')),
      'external data',
    ],
    [
      'a tensor with a negative size',
      Writer.create().uint32(DIMS).int64(-1).uint32(DATA_TYPE).int32(1).finish(),
      'sane shape, got [-1]',
    ],
    [
      'a tensor with too few elements',
      two(1).uint32(RAW_DATA).bytes(Buffer.alloc(4)).finish(),
      'float32[2], 8 bytes, got 4 bytes',
    ],
    ['a tensor with too few strings', two(8).uint32(STRING_DATA).string('a').finish(), '2 strings, got 1'],
    [
      'a tensor with strings that are not UTF-8',
      two(8).uint32(STRING_DATA).bytes(Buffer.of(255)).uint32(STRING_DATA).bytes(Buffer.of(1)).finish(),
      'UTF-8',
    ],
  ])('refuses %s', (_, file, message) => {
    expect(() => decodeTensorProto(file)).toThrow(message);
  });
});
