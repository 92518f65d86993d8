import * as fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../../lambda/tensors/safetensors';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';

function file(header: unknown, data: readonly number[] = []): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  return Buffer.concat([length, json, Buffer.from(data)]);
}

function u8(begin: number, end: number, shape: unknown = [end - begin]) {
  return { dtype: 'U8', shape, data_offsets: [begin, end] };
}

describe('a hostile safetensors file', () => {
  it.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'at least 8 bytes, got 0'],
    ['only a length field', new Uint8Array(8), 'the header is not JSON'],
    ['shorter than a length field', new Uint8Array(7), 'at least 8 bytes, got 7'],
    [
      'a header of 2^64-1 bytes',
      new Uint8Array(16).fill(255),
      'claims 18446744073709551615 bytes, the limit is',
    ],
    [
      'a header beyond the file',
      Buffer.concat([file({})]).fill(200, 0, 1),
      'claims 200 bytes of a file of 10',
    ],
    ['a header that is not JSON', file('nonsense'), 'not JSON'],
    ['null as header', file('null'), 'not a JSON object'],
    ['a list as header', file('[]'), 'not a JSON object'],
    ['an unknown dtype', file({ x: { dtype: 'BF16', shape: [1], data_offsets: [0, 2] } }, [1, 2]), '"BF16"'],
    [
      'no dtype',
      file({ x: { shape: [1], data_offsets: [0, 2] } }, [1, 2]),
      "tensor 'x' must have one of the dtypes",
    ],
    ['no description', file({ x: 3 }), "tensor 'x' is not described"],
    ['a negative size', file({ x: u8(0, 1, [-1]) }, [1]), 'whole numbers, got [-1]'],
    [
      'a fraction of a size',
      file({ x: u8(0, 1, [0.5]) }, [1]),
      'whole numbers, got a list with a number that is not whole at position 0',
    ],
    [
      'a product that overflows',
      file({ x: u8(0, 1, [2 ** 40, 2 ** 40]) }, [1]),
      'must have a shape of whole numbers',
    ],
    [
      'a length that does not fit the shape',
      file({ x: u8(0, 2, [3]) }, [1, 2]),
      'uint8[3] must have 3 bytes, got 2',
    ],
    [
      'one offset',
      file({ x: { dtype: 'U8', shape: [1], data_offsets: [0] } }, [1]),
      'must have two data_offsets',
    ],
    [
      'a negative offset',
      file({ x: { dtype: 'U8', shape: [1], data_offsets: [-1, 0] } }, [1]),
      'must have two data_offsets',
    ],
    [
      'offsets in reverse',
      file({ x: { dtype: 'U8', shape: [1], data_offsets: [1, 0] } }, [1]),
      'must have 1 bytes, got -1',
    ],
    ['an overlap', file({ x: u8(0, 2), y: u8(1, 3) }, [1, 2, 3]), "tensor 'y' overlaps"],
    ['a hole', file({ x: u8(0, 1), y: u8(2, 3) }, [1, 2, 3]), "tensor 'y' leaves a hole"],
    ['data after the last tensor', file({ x: u8(0, 1) }, [1, 2]), 'end at byte'],
    ['data cut short', file({ x: u8(0, 3) }, [1, 2]), 'end at byte'],
    ['metadata that is not an object', file({ __metadata__: 1 }), '__metadata__ is not a JSON object'],
    [
      'strings that are not JSON',
      file({ __metadata__: { 'string_tensor.s': '{' } }),
      "string tensor 's' is not JSON",
    ],
    [
      'too few strings',
      file({ __metadata__: { 'string_tensor.s': '{"shape":[2],"data":["a"]}' } }),
      "string tensor 's' needs 2 strings",
    ],
    [
      'strings that are numbers',
      file({ __metadata__: { 'string_tensor.s': '{"shape":[1],"data":[1]}' } }),
      "string tensor 's' needs 1 strings",
    ],
    [
      'a name twice',
      file({ __metadata__: { 'string_tensor.x': '{"shape":[],"data":["a"]}' }, x: u8(0, 1) }, [1]),
      "tensor 'x' is listed twice",
    ],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  it.each<[string, Uint8Array]>([
    ['a name of several lines', file({ 'a\n\u0085\u2028b': 3 })],
    ['a long name', file({ ['n'.repeat(100_000)]: u8(0, 1) })],
    ['many sizes', file({ x: u8(0, 2, Array(100_000).fill(1)) }, [1, 2])],
    [
      'a string tensor of a long name',
      file({ __metadata__: { [`string_tensor.${'\n'.repeat(9999)}`]: '{' } }),
    ],
    ['a checksum with a control character', file(`{"__metadata__":{"header_crc32":"\u007f\u0085234567"}}`)],
  ])('with %s is refused in one short line', (_, bytes) => {
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,300}$/u);
  });

  it('is refused if two names would become one because they are not UTF-8', () => {
    const header = Buffer.from(
      '{"?":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"!":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    );
    header[2] = 0xff;
    header[header.indexOf('!')] = 0xfe;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.byteLength));
    expect(() => decodeSafetensors(Buffer.concat([length, header]))).toThrow('the header is not UTF-8');
  });

  it('may have a tensor named __proto__', () => {
    const decoded = decodeSafetensors(
      file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', [7]),
    );
    expect([...decoded.keys()]).toEqual(['__proto__']);
    expect(comparable(decodeSafetensors(encodeSafetensors(decoded)))).toEqual(comparable(decoded));
  });

  it('is decoded or refused with SafetensorsError, whichever byte is changed and wherever it is truncated', () => {
    const mutant = fc.record({
      tensors: namedTensors,
      at: fc.nat(),
      byte: fc.nat({ max: 255 }),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(mutant, ({ tensors, at, byte, cut }) => {
        const bytes = encodeSafetensors(tensors);
        const position = at % bytes.byteLength;
        bytes[position] = byte;
        try {
          decodeSafetensors(cut ? bytes.subarray(0, position) : bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
    );
  });
});
