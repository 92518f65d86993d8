import * as fc from 'fast-check';
import { toNestedArray } from '../../../client/tensors/from-raw';
import { decodeJson, encodeJson } from '../../../bin/tensor-files/json';
import { JsonError, parseJson } from '../../../bin/tensor-files/parse-json';
import type { TensorSpec } from '../../../contract/tensors';
import { bytesOf, type NumericTensor, type RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';

type Dtype = TensorSpec['dtype'];

function decode(text: string, dtype: Dtype, shape: TensorSpec['shape'] = null): RawTensor | undefined {
  return decodeJson(Buffer.from(text), [{ name: 'x', dtype, shape }]).get('x');
}

describe('a JSON file', () => {
  it('returns every tensor that was encoded', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        expect(comparable(decodeJson(encodeJson(tensors), []))).toEqual(comparable(tensors));
      }),
    );
  });

  it('may have the tensors as nested arrays', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        // JSON has no NaN and no infinities, and nested arrays do not show the sizes behind a 0.
        const shown = new Map([...tensors].filter(([, tensor]) => isShown(tensor)));
        const specs = [...shown].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
        const nested = Object.fromEntries([...shown].map(([name, tensor]) => [name, toNestedArray(tensor)]));
        expect(comparable(decodeJson(Buffer.from(jsonOf(nested)), specs))).toEqual(comparable(shown));
      }),
    );
  });

  it.each<[string, Dtype, readonly number[], Uint8Array]>([
    ['[[1, 2, 3]]', 'float32', [1, 3], bytesOf(Float32Array.of(1, 2, 3))],
    ['[9223372036854775807, -1]', 'int64', [2], bytesOf(BigInt64Array.of(2n ** 63n - 1n, -1n))],
    ['[18446744073709551615]', 'uint64', [1], bytesOf(BigUint64Array.of(2n ** 64n - 1n))],
    ['12345678901234567890', 'float64', [], bytesOf(Float64Array.of(12345678901234567890))],
    ['[[true], [false]]', 'bool', [2, 1], Uint8Array.of(1, 0)],
    ['1.5', 'float16', [], bytesOf(Uint16Array.of(0x3e00))],
    ['[]', 'float32', [0], new Uint8Array(0)],
  ])('may have %s for %s', (text, dtype, shape, bytes) => {
    const tensor = decode(`{"x": ${text}}`, dtype) as NumericTensor;
    expect([tensor.dtype, tensor.shape, [...tensor.bytes]]).toEqual([dtype, shape, [...bytes]]);
  });

  it('may have whole numbers of 64 bits in its data', () => {
    const text = '{"x": {"dtype": "int64", "shape": [1, 2], "data": [9007199254740993, 1]}}';
    const tensor = decode(text, 'float32') as NumericTensor;
    expect([tensor.dtype, tensor.shape]).toEqual(['int64', [1, 2]]);
    expect(Buffer.from(tensor.bytes).readBigInt64LE()).toBe(9007199254740993n);
  });

  it('may have strings, and an empty list for an input whose other sizes are known', () => {
    expect(decode('{"x": [["a", "ü"]]}', 'string')).toEqual({
      dtype: 'string',
      shape: [1, 2],
      strings: ['a', 'ü'],
    });
    expect(decode('{"x": []}', 'int8', ['n', 3])).toMatchObject({ shape: [0, 3] });
  });

  it.each<[string, Dtype, string]>([
    ['{"x": [1, 2.5]}', 'int32', "input 'x'[1] must be a whole number"],
    ['{"x": [9223372036854775808]}', 'int64', "input 'x'[0] must be a whole number"],
    ['{"x": [4294967296]}', 'uint32', 'in the range of uint32'],
    ['{"x": [[1], [1, 2]]}', 'float32', 'all lists of one level must have the same length'],
    ['{"x": [null]}', 'float32', 'got null'],
    ['{"x": [1e39]}', 'float32', 'a number in the range of float32'],
    ['{"x": [1e999]}', 'float64', 'a number beyond float64 in line 1'],
    ['{"x": [1,\n NaN]}', 'float32', 'NaN or Infinity, which JSON does not have, in line 2'],
    ['{"x": [Infinity]}', 'float32', 'write base64 instead of data, or an .npz file'],
    ['{"x": [-Infinite]}', 'float32', 'something that is no value in line 1): correct it'],
    ['{"y": [1]}', 'float32', "nested arrays only for the model's inputs, which are 'x', got 'y'"],
    [
      '{"x": {"dtype": "int64", "shape": [2], "data": [9007199254740993]}}',
      'int64',
      '2 elements for int64[2], got 1',
    ],
    [
      '{"x": {"dtype": "int64", "shape": [1], "data": [9223372036854775808]}}',
      'int64',
      'in the range of int64',
    ],
    ['{"x": {"dtype": "int8", "shape": [1], "data": [9007199254740993]}}', 'int8', "'data' of tensor 'x'"],
    ['{"x": {"dtype": "int8", "shape": [1], "data": [1], "more": 1}}', 'int8', "unknown field 'more'"],
    ['\ud800', 'int8', 'text that is not JSON'],
  ])('of %s for %s is refused', (text, dtype, message) => {
    expect(() => decode(text, dtype)).toThrow(message);
  });

  it('that is not UTF-8 is refused', () => {
    expect(() => decodeJson(Buffer.of(0x22, 0xff, 0x22), [])).toThrow('bytes that are not UTF-8');
  });
});

/** JSON with whole numbers in all their digits. */
function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}:${jsonOf(item)}`)
    .join(',')}}`;
}

function isShown(tensor: RawTensor): boolean {
  const { shape } = tensor;
  if (shape.includes(0) && shape.indexOf(0) < shape.length - 1) return false;
  if (!tensor.dtype.startsWith('float')) return true;
  const flat = [toNestedArray(tensor)].flat(Infinity as 1) as unknown[];
  return flat.every((item) => Number.isFinite(item));
}

describe('JSON', () => {
  it('has the values of JSON.parse', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, undefined, space);
        // A member named __proto__ is not one of the prototype.
        expect(JSON.stringify(parseJson(spaced), rounded)).toBe(JSON.stringify(value));
      }),
    );
  });

  it('is refused exactly when JSON.parse refuses it', () => {
    const pieces = ['"\\u00fc"', ...'{ } [ ] , : "a" "b 1 -0.5 01 null tru'.split(' '), ' '];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        fc.pre(!/("a").*\1/.test(text));
        expect(outcome(() => parseJson(text))).toBe(outcome(() => JSON.parse(text) as unknown));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps whole numbers above 2^53', () => {
    expect(parseJson('[9007199254740993, -9223372036854775808, 9007199254740991, 1e20, -0]')).toEqual([
      9007199254740993n,
      -(2n ** 63n),
      9007199254740991,
      1e20,
      -0,
    ]);
  });

  it.each([
    ['{"x": 1,\n"x": 2}', 'two members of one name in line 2'],
    ['['.repeat(200), 'more than 100 levels'],
    ['"\\ud8"', 'a malformed string'],
    ['"a\\"', 'a string without an end'],
    ['[1] 2', 'more after the end'],
    ['{"a" 1}', 'no :'],
    ['', 'an end before it is complete'],
  ])('%s is refused', (text, message) => {
    expect(() => parseJson(text)).toThrow(JsonError);
    expect(() => parseJson(text)).toThrow(message);
  });

  it('of ten million characters in one string is read', () => {
    expect(parseJson(`"${'ab\\"'.repeat(2_500_000)}"`)).toHaveLength(7_500_000);
  });
});

/** Whole numbers as `JSON.parse` has them. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse(), rounded);
  } catch {
    return 'refused';
  }
}
