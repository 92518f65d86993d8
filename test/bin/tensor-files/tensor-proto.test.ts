import { Writer } from 'protobufjs/minimal';
import { decodeTensorProto } from '../../../bin/tensor-files/tensor-proto';
import { typedView, type NumericTensor } from '../../../lambda/tensors/tensor';
import { ENTRY, TENSOR, WIRE_TYPE, fieldTag } from '../../../lib/onnx/fields';

type Field = Exclude<keyof typeof TENSOR, 'dims' | 'dataType'>;

/** A tensor of two elements, and one more field of bytes for each pair. */
function two(dataType: number, ...others: readonly (readonly [Field, string | Uint8Array])[]): Uint8Array {
  const writer = Writer.create().uint32(fieldTag(TENSOR.dims, WIRE_TYPE.varint)).int64(2);
  writer.uint32(fieldTag(TENSOR.dataType, WIRE_TYPE.varint)).int32(dataType);
  for (const [field, value] of others)
    writer.uint32(fieldTag(TENSOR[field], WIRE_TYPE.lengthDelimited)).bytes(Buffer.from(value));
  return writer.finish();
}

function packed(dataType: number, field: Field, write: (inner: Writer) => Writer): Uint8Array {
  return two(dataType, [field, write(Writer.create()).finish()]);
}

/** As old writers have them: a tag before each element. */
function oneByOne(dataType: number, tag: number, write: (inner: Writer, element: 1 | 2) => void): Uint8Array {
  const inner = Writer.create();
  for (const element of [1, 2] as const) write(inner.uint32(tag), element);
  return Buffer.concat([two(dataType), inner.finish()]);
}

describe('a TensorProto', () => {
  it('has a name, a type, a shape and raw bytes', () => {
    const bytes = Buffer.alloc(8, 1);
    expect(decodeTensorProto(two(1, ['name', 'x'], ['rawData', bytes]))).toEqual({
      name: 'x',
      tensor: { dtype: 'float32', shape: [2], bytes },
    });
    expect(decodeTensorProto(two(9, ['rawData', Buffer.of(0, 1)])).name).toBe('');
  });

  const floatTag = fieldTag(TENSOR.floatData, WIRE_TYPE.fixed32);
  const int64Tag = fieldTag(TENSOR.int64Data, WIRE_TYPE.varint);
  const most = '18446744073709551615';

  it.each<[string, Uint8Array, unknown[]]>([
    ['float32', packed(1, 'floatData', (data) => data.float(1.5).float(-0)), [1.5, -0]],
    ['float64', packed(11, 'doubleData', (data) => data.double(0.1).double(-2)), [0.1, -2]],
    ['bits of float16', packed(10, 'int32Data', (data) => data.int32(15).int32(0xc000)), [15, 0xc000]],
    ['int8', packed(3, 'int32Data', (data) => data.int32(-1).int32(127)), [-1, 127]],
    ['int32', packed(6, 'int32Data', (data) => data.int32(-70000).int32(2)), [-70000, 2]],
    ['bool', packed(9, 'int32Data', (data) => data.int32(1).int32(0)), [1, 0]],
    ['int64', packed(7, 'int64Data', (data) => data.int64(`-${2n ** 60n}`).int64(5)), [-(2n ** 60n), 5n]],
    ['uint32', packed(12, 'uint64Data', (data) => data.uint64(4294967295).uint64(2)), [4294967295, 2]],
    ['uint64', packed(13, 'uint64Data', (data) => data.uint64(most).uint64(2)), [2n ** 64n - 1n, 2n]],
    ['float32 one by one', oneByOne(1, floatTag, (data, element) => data.float(element)), [1, 2]],
    ['int64 one by one', oneByOne(7, int64Tag, (data, element) => data.int64(-element)), [-1n, -2n]],
  ])('may have %s in typed fields', (_, file, expected) => {
    expect([...typedView(decodeTensorProto(file).tensor as NumericTensor)]).toEqual(expected);
  });

  it('keeps the bits of every NaN', () => {
    const signalling = Buffer.of(1, 0, 0x80, 0x7f, 2, 0, 0xc0, 0xff);
    const { bytes } = decodeTensorProto(two(1, ['floatData', signalling])).tensor as NumericTensor;
    expect(Buffer.from(bytes)).toEqual(signalling);
  });

  it('may have strings', () => {
    const { tensor } = decodeTensorProto(two(8, ['stringData', 'ü'], ['stringData', '']));
    expect(tensor).toEqual({ dtype: 'string', shape: [2], strings: ['ü', ''] });
  });

  const location = Writer.create().uint32(fieldTag(ENTRY.key, WIRE_TYPE.lengthDelimited)).string('location');
  const negative = Writer.create().uint32(fieldTag(TENSOR.dims, WIRE_TYPE.varint)).int64(-1).finish();

  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'its type 0'],
    ['a truncated file', two(1, ['rawData', Buffer.alloc(8)]).subarray(0, -1), 'got other content'],
    ['a tensor of bfloat16', two(16, ['rawData', Buffer.alloc(4)]), 'its type 16'],
    ['a tensor with external data', two(1, ['externalData', location.finish()]), 'external data'],
    ['a tensor with a negative size', Buffer.concat([two(1), negative]), 'sane shape, got [2,-1]'],
    ['too few elements', two(1, ['rawData', Buffer.alloc(4)]), 'float32[2], 8 bytes, got 4 bytes'],
    ['too few strings', two(8, ['stringData', 'a']), '2 strings, got 1'],
    ['other text than UTF-8', two(8, ['stringData', Buffer.of(255)], ['stringData', 'a']), 'UTF-8'],
  ])('is refused for %s', (_, file, message) => {
    expect(() => decodeTensorProto(file)).toThrow(message);
  });
});
