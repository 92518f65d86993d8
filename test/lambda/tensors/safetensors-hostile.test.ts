import * as fc from 'fast-check';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { decodeSafetensors, encodeSafetensors, SafetensorsError } from '../../../lambda/tensors/safetensors';
import { readHeaderLength } from '../../../lambda/tensors/safetensors-header';
import type { NumericTensor, RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { MemoryObjects } from '../../support/memory-objects';

type Tensors = ReadonlyMap<string, RawTensor>;

/** A file with this header and zeros or `data` after it. */
function file(header: unknown, data: number | readonly number[] = 0): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = typeof data === 'number' ? Buffer.alloc(data) : Buffer.from(data);
  return Buffer.concat([lengthField(json.byteLength), json, bytes]);
}

function lengthField(length: number): Uint8Array {
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(BigInt(length));
  return field;
}

const u8 = (begin: number, end: number, shape: unknown = [end - begin]) => ({
  dtype: 'U8',
  shape,
  data_offsets: [begin, end],
});

const strings = (text: unknown) => file({ __metadata__: { 'string_tensor.s': text } });

describe('a hostile safetensors file', () => {
  it.each<[Uint8Array, string]>([
    [new Uint8Array(0), 'at least 8 bytes, got 0'],
    [new Uint8Array(16).fill(255), 'claims 18446744073709551615 bytes, the limit is 100000000'],
    [Buffer.from(file({})).fill(200, 0, 1), 'claims 200 bytes of a file of 10: the file is truncated'],
    [file(''), 'the header is not JSON'],
    [file('null'), 'not a JSON object'],
    [file({ x: 3 }), "tensor 'x' is not described by a JSON object"],
    [file({ x: { ...u8(0, 2), dtype: 'BF16' } }, 2), 'dtypes F32, F64, F16, I8, I16, I32, I64, U8, U16,'],
    [file({ x: u8(0, 1, [-1]) }, 1), 'whole numbers, got [-1]'],
    [file({ x: u8(0, 1, Array(100).fill(0.5)) }, 1), 'a list with a number that is not whole at position 0'],
    [file({ x: u8(0, 1, [2 ** 40, 2 ** 40]) }, 1), 'must have a shape of whole numbers'],
    [file({ x: u8(0, 2, [3]) }, 2), 'uint8[3] must have 3 bytes, got 2'],
    [file({ x: { dtype: 'U8', shape: [1] } }, 1), 'must have two data_offsets, got nothing'],
    [file({ x: { ...u8(0, 1), data_offsets: [-1, 0] } }, 1), 'must have two data_offsets'],
    [file({ x: u8(1, 0, [1]) }, 1), 'must have 1 bytes, got -1'],
    [file({ y: u8(1, 3), x: u8(0, 2) }, 3), 'overlaps the tensor before it: expected offset 115, got 114'],
    [file({ x: u8(0, 2), y: u8(0, 2) }, 2), 'overlaps the tensor before it: expected offset 115, got 113'],
    [file({ y: u8(2, 3), x: u8(0, 1) }, 3), "'y' leaves a hole before it: expected offset 114, got 115"],
    [file({ x: u8(0, 1) }, 2), 'the tensors end at byte 62, but the file has 63 bytes'],
    [file({ __metadata__: 1 }), '__metadata__ is not a JSON object'],
    [strings('{'), "string tensor 's' is not JSON"],
    [strings(['{"shape":[1],"data":["a"]}']), "string tensor 's' is not JSON"],
    [strings('{"shape":[-1],"data":[]}'), "string tensor 's' must have a shape of whole numbers, got [-1]"],
    [strings('{"shape":[2],"data":["a"]}'), "string tensor 's' needs 2 strings"],
    [strings('{"shape":[1],"data":[1]}'), "string tensor 's' needs 1 strings"],
    [
      file({ __metadata__: { 'string_tensor.x': '{"shape":[],"data":["a"]}' }, x: u8(0, 1) }, 1),
      "tensor 'x' is listed twice",
    ],
    [file({ __metadata__: { 'tensor_crc32.x': 'A505DF1B' }, x: u8(0, 1) }, 1), 'eight hexadecimal digits'],
  ])('is refused: case %#', (bytes, words) => {
    const message = expect.stringContaining(words) as string;
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(
      expect.objectContaining({ name: 'SafetensorsError', message }) as Error,
    );
  });

  it('may have a header of up to 100 MB, and as long as the file', () => {
    expect(readHeaderLength(lengthField(2), 10)).toBe(2);
    expect(readHeaderLength(lengthField(100_000_000), 100_000_008)).toBe(100_000_000);
    expect(() => readHeaderLength(lengthField(3), 10)).toThrow('the header claims 3 bytes of a file of 10');
    expect(() => readHeaderLength(lengthField(100_000_001), 100_000_009)).toThrow('the limit is 100000000');
  });

  it('may list tensors in another order than their bytes, and empty ones where another one starts or ends', () => {
    const tensors = { c: u8(3, 4), none: u8(3, 3), a: u8(0, 1), b: u8(1, 3), start: u8(0, 0), end: u8(4, 4) };
    for (const listed of [Object.entries(tensors), Object.entries(tensors).reverse()]) {
      const decoded = decodeSafetensors(file(Object.fromEntries(listed), [1, 2, 3, 4]));
      expect([...decoded.keys()]).toEqual(listed.map(([name]) => name));
      const bytes = ['a', 'b', 'c', 'none'].map((name) => [...(decoded.get(name) as NumericTensor).bytes]);
      expect(bytes).toEqual([[1], [2, 3], [4], []]);
    }
  });

  it.each<[string, Uint8Array]>([
    ['a name of several lines', file({ 'a\n\u0085\u2028b': 3 })],
    ['a long name', file({ ['n'.repeat(100_000)]: u8(0, 1) })],
    ['many sizes', file({ x: u8(0, 2, Array(100_000).fill(1)) }, 2)],
    ['a long string tensor name', file({ __metadata__: { [`string_tensor.${'\n'.repeat(9999)}`]: '{' } })],
    ['a checksum with a control character', file(`{"__metadata__":{"header_crc32":"\u007f\u0085234567"}}`)],
  ])('with %s is refused in one short line', (_, bytes) => {
    expect(() => decodeSafetensors(bytes)).toThrow(SafetensorsError);
    expect(() => decodeSafetensors(bytes)).toThrow(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,300}$/u);
  });

  it('is refused if two names would become one because they are not UTF-8', () => {
    const bytes = Buffer.from(file({ '?': u8(0, 0), '!': u8(0, 0) }));
    bytes[bytes.indexOf('?')] = 0xff;
    bytes[bytes.indexOf('!')] = 0xfe;
    expect(() => decodeSafetensors(bytes)).toThrow('the header is not UTF-8');
  });

  it('may have a tensor named __proto__, and metadata of other programs', () => {
    const decoded = decodeSafetensors(
      file(
        '{"__metadata__":{"format":"pt"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        [7],
      ),
    );
    expect([...decoded.keys()]).toEqual(['__proto__']);
    expect(comparable(decodeSafetensors(encodeSafetensors(decoded)))).toEqual(comparable(decoded));
  });

  it('is read with the same tensors by all readers, or refused by all of them, whatever is changed', async () => {
    await fc.assert(
      fc.asyncProperty(changedFile, fc.constantFrom(16, 1024), async ({ bytes, tensors }, firstReadBytes) => {
        const isChecked = Buffer.from(bytes).includes('"header_crc32":"');
        const decoded = await ending(() => decodeSafetensors(bytes));
        if (isChecked && decoded !== 'refused') expect(decoded).toEqual(comparable(tensors));
        for (const writers of ['callers', 'functions'] as const) {
          const objects = new MemoryObjects();
          objects.put('k', bytes);
          const store = new SafetensorsStore(objects, 'b', { writers, firstReadBytes });
          const stored = await ending(async () => {
            const reader = await store.open('k');
            return reader.read([...reader.heads.keys()]);
          });
          expect(stored).toEqual(writers === 'callers' || isChecked ? decoded : 'refused');
          // The first read may ask for more than the file has.
          const later = objects.reads.map(({ range }) => range).filter(({ start }) => start > 0);
          expect(later.filter(({ end }) => end > bytes.byteLength)).toEqual([]);
          expect(objects.openBodies).toBe(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

type Header = Record<string, Record<string, unknown>>;

/** A file after one change: of a value in a header without a checksum, of a byte, of the header's length, or of its end. */
const changedFile = fc
  .record({
    tensors: namedTensors,
    at: fc.nat(),
    change: fc.constantFrom('value', 'byte', 'length', 'end'),
    value: fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('U8', 'F32', [0, 2 ** 32], [2 ** 53, 0], [1, 3], [-8, 8]),
    ),
    byte: fc.nat({ max: 255 }),
  })
  .map(({ tensors, at, change, value, byte }) => {
    const bytes = Buffer.from(encodeSafetensors(tensors));
    if (change === 'end') return { tensors, bytes: bytes.subarray(0, at % bytes.byteLength) };
    if (change !== 'value') {
      bytes[at % (change === 'byte' ? bytes.byteLength : 8)] = byte;
      return { tensors, bytes };
    }
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, end).toString()) as Header;
    delete header.__metadata__.header_crc32;
    const places = Object.values(header).flatMap((entry) =>
      Object.keys(entry).map((key) => ({ entry, key })),
    );
    const place = places.at(at % Math.max(1, places.length));
    if (place !== undefined) place.entry[place.key] = value;
    return { tensors, bytes: Buffer.from(file(header, [...bytes.subarray(end)])) };
  });

/** The tensors, or that they were refused as they must be. */
async function ending(read: () => Tensors | Promise<Tensors>): Promise<unknown> {
  try {
    return comparable(await read());
  } catch (error) {
    if (!(error instanceof SafetensorsError)) expect(error).toMatchObject({ name: 'CorruptTensor' });
    return 'refused';
  }
}
