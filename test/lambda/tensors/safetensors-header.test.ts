import { parseHeader, readHeaderLength, SafetensorsError } from '../../../lambda/tensors/safetensors-header';

/** The entries of a file with this header and `dataBytes` bytes of data. */
function entriesOf(header: object, dataBytes = 0) {
  const json = Buffer.from(JSON.stringify(header));
  return parseHeader(json, 8 + json.byteLength + dataBytes).entries;
}

function u8(begin: number, end: number) {
  return { dtype: 'U8', shape: [end - begin], data_offsets: [begin, end] };
}

/** The first bytes of a file: the length of its header. */
function lengthField(length: bigint): Uint8Array {
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(length);
  return field;
}

function messageOf(read: () => unknown): string | undefined {
  try {
    read();
  } catch (error) {
    if (error instanceof SafetensorsError) return error.message;
    throw error;
  }
  return undefined;
}

describe("the length of a safetensors file's header", () => {
  it.each([
    [0, 8],
    [2, 10],
    [2, 11],
    [100_000_000, 100_000_008],
  ])('can be %d in a file of %d bytes', (length, fileBytes) => {
    expect(readHeaderLength(lengthField(BigInt(length)), fileBytes)).toBe(length);
  });

  it.each([
    [3, 10, 'the header claims 3 bytes of a file of 10: the file is truncated or not safetensors'],
    [
      100_000_000,
      10,
      'the header claims 100000000 bytes of a file of 10: the file is truncated or not safetensors',
    ],
    [100_000_001, 100_000_009, 'the header claims 100000001 bytes, the limit is 100000000'],
  ])('cannot be %d in a file of %d bytes', (length, fileBytes, message) => {
    expect(messageOf(() => readHeaderLength(lengthField(BigInt(length)), fileBytes))).toBe(message);
  });

  it('needs 8 bytes', () => {
    expect(messageOf(() => readHeaderLength(new Uint8Array(7), 7))).toBe(
      'a safetensors file has at least 8 bytes, got 7',
    );
  });
});

describe('the header of a safetensors file', () => {
  it('may list tensors in another order than their bytes', () => {
    const json = Buffer.from(JSON.stringify({ c: u8(3, 4), a: u8(0, 1), b: u8(1, 3) }));
    const data = 8 + json.byteLength;
    expect(parseHeader(json, data + 4).entries).toEqual(
      new Map([
        ['c', { dtype: 'uint8', shape: [1], start: data + 3, end: data + 4 }],
        ['a', { dtype: 'uint8', shape: [1], start: data, end: data + 1 }],
        ['b', { dtype: 'uint8', shape: [2], start: data + 1, end: data + 3 }],
      ]),
    );
  });

  it('may have empty tensors where another tensor starts or ends, listed before or after it', () => {
    const names = ['x', 'start', 'alsoStart', 'end'];
    const listed = { x: u8(0, 2), start: u8(0, 0), alsoStart: u8(0, 0), end: u8(2, 2) };
    expect([...entriesOf(listed, 2).keys()]).toEqual(names);
    const reversed = Object.fromEntries(Object.entries(listed).reverse());
    expect([...entriesOf(reversed, 2).keys()]).toEqual(names.reverse());
  });

  it.each<[string, object, number, string]>([
    [
      'an overlap',
      { y: u8(1, 3), x: u8(0, 2) },
      3,
      "tensor 'y' overlaps the tensor before it: expected offset DATA+2, got DATA+1",
    ],
    [
      'the same bytes twice',
      { x: u8(0, 2), y: u8(0, 2) },
      2,
      "tensor 'y' overlaps the tensor before it: expected offset DATA+2, got DATA+0",
    ],
    [
      'a hole',
      { y: u8(2, 3), x: u8(0, 1) },
      3,
      "tensor 'y' leaves a hole before it: expected offset DATA+1, got DATA+2",
    ],
    [
      'a hole before the first tensor',
      { x: u8(1, 2) },
      2,
      "tensor 'x' leaves a hole before it: expected offset DATA+0, got DATA+1",
    ],
    [
      'an empty tensor inside another one',
      { x: u8(0, 2), empty: u8(1, 1) },
      2,
      "tensor 'empty' overlaps the tensor before it: expected offset DATA+2, got DATA+1",
    ],
  ])('is refused with %s', (_, header, dataBytes, message) => {
    const dataStart = 8 + JSON.stringify(header).length;
    const expected = message.replace(/DATA\+(\d)/g, (_sum, offset) => String(dataStart + Number(offset)));
    expect(messageOf(() => entriesOf(header, dataBytes))).toBe(expected);
  });

  it.each<[string, object, string]>([
    ['null instead of a tensor', { x: null }, "tensor 'x' is not described by a JSON object"],
    [
      'an unknown dtype',
      { x: { dtype: 'BF16', shape: [1], data_offsets: [0, 2] } },
      `tensor 'x' must have one of the dtypes F32, F64, F16, I8, I16, I32, I64, U8, U16, U32, U64, BOOL, got "BF16"`,
    ],
    [
      'no shape',
      { x: { dtype: 'U8', data_offsets: [0, 1] } },
      "tensor 'x' must have a shape of whole numbers, got nothing",
    ],
    ['no offsets', { x: { dtype: 'U8', shape: [1] } }, "tensor 'x' must have two data_offsets, got nothing"],
    [
      'a long bad shape, which the error does not repeat',
      { x: { dtype: 'U8', shape: Array(100).fill(0.5), data_offsets: [0, 1] } },
      "tensor 'x' must have a shape of whole numbers, got a list with a number that is not whole at position 0",
    ],
    [
      'a string tensor with a bad shape',
      strings('{"shape":[-1],"data":[]}'),
      "string tensor 's' must have a shape of whole numbers, got [-1]",
    ],
    [
      'a string tensor without a shape',
      strings('{"data":[]}'),
      "string tensor 's' must have a shape of whole numbers, got nothing",
    ],
    [
      'a string tensor that is null',
      strings('null'),
      "string tensor 's' must have a shape of whole numbers, got nothing",
    ],
    ['a string tensor that is a number', strings(7), "string tensor 's' is not JSON"],
    ['a string tensor in a list', strings(['{"shape":[1],"data":["a"]}']), "string tensor 's' is not JSON"],
  ])('is refused with %s', (_, header, message) => {
    expect(messageOf(() => entriesOf(header))).toBe(message);
  });

  it('is refused if it is empty', () => {
    expect(messageOf(() => parseHeader(new Uint8Array(0), 8))).toBe('the header is not JSON');
  });

  it('is refused with an error named SafetensorsError', () => {
    expect(() => entriesOf({ x: 1 })).toThrow(expect.objectContaining({ name: 'SafetensorsError' }) as Error);
  });
});

function strings(text: unknown) {
  return { __metadata__: { 'string_tensor.s': text } };
}
