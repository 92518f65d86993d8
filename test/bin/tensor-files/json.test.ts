import * as fc from 'fast-check';
import { toNestedArray } from '../../../client/tensors/to-nested';
import { decodeJson, encodeJson } from '../../../bin/tensor-files/json';
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
    ['{"x": [4294967296]}', 'uint32', 'from 0 to 4294967295'],
    ['{"x": [12345678901234567890]}', 'int32', "input 'x'[0] must be a whole number"],
    ['{"x": [[1], [1, 2]]}', 'float32', 'all lists of one level must have the same length'],
    ['{"x": [null]}', 'float32', 'got null'],
    ['{"x": [1e39]}', 'float32', 'a number in the range of float32'],
    ['{"x": [1e999]}', 'float64', 'a number beyond float64 in line 1'],
    ['{"x": [1,\n NaN]}', 'float32', 'NaN or Infinity, which JSON does not have, in line 2'],
    ['{"x": [Infinity]}', 'float32', 'write base64 instead of data, or an .npz file'],
    ['{"x": [-Infinity]}', 'float32', 'NaN or Infinity'],
    ['{"x": [-Infinite]}', 'float32', 'something that is no value in line 1): correct it'],
    ['{"x": 1, "x": 2}', 'float32', 'two members of one name'],
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
