import * as fc from 'fast-check';
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

  it.each<[string, Dtype, readonly number[], Uint8Array]>([
    ['[[1, 2, 3]]', 'float32', [1, 3], bytesOf(Float32Array.of(1, 2, 3))],
    ['["9223372036854775807", -1]', 'int64', [2], bytesOf(BigInt64Array.of(2n ** 63n - 1n, -1n))],
    ['[[true], [false]]', 'bool', [2, 1], Uint8Array.of(1, 0)],
    ['1.5', 'float16', [], bytesOf(Uint16Array.of(0x3e00))],
  ])('may have %s for %s', (text, dtype, shape, bytes) => {
    const tensor = decode(`{"x": ${text}}`, dtype) as NumericTensor;
    expect([tensor.dtype, tensor.shape, [...tensor.bytes]]).toEqual([dtype, shape, [...bytes]]);
  });

  it('may have strings, and an empty list for an input whose other sizes are known', () => {
    const strings = ['a', 'ü'];
    expect(decode('{"x": [["a", "ü"]]}', 'string')).toEqual({ dtype: 'string', shape: [1, 2], strings });
    expect(decode('{"x": []}', 'int8', ['n', 3])).toMatchObject({ shape: [0, 3] });
  });

  it.each<[string, Dtype, string]>([
    ['{"x": [1, 2.5]}', 'int32', "input 'x'[1] must be a whole number"],
    ['{"x": [9007199254740993]}', 'int64', 'a text of digits above 2^53-1'],
    ['{"x": [[1], [1, 2]]}', 'float32', 'all lists of one level must have the same length'],
    ['{"x": [1,\n NaN]}', 'float32', 'NaN or Infinity, which JSON does not have: write base64 instead of'],
    ['{"x": [-Infinity]}', 'float32', 'NaN or Infinity'],
    ['{"x": [-Infinite]}', 'float32', 'text that is not JSON: correct it'],
    ['{"y": [1]}', 'float32', "nested arrays only for the model's inputs, which are 'x', got 'y'"],
    ['{"x": {"dtype": "int8", "shape": [1], "data": [300]}}', 'int8', "'data' of tensor 'x'"],
    ['{"x": {"dtype": "int8", "shape": [1], "data": [1], "more": 1}}', 'int8', "unknown field 'more'"],
  ])('of %s for %s is refused', (text, dtype, message) => {
    expect(() => decode(text, dtype)).toThrow(message);
  });

  it('that is not UTF-8, or of lists in lists without end, is refused', () => {
    expect(() => decodeJson(Buffer.of(0x22, 0xff, 0x22), [])).toThrow('text that is not JSON');
    const deep = `{"x": ${'['.repeat(1e5)}${']'.repeat(1e5)}}`;
    expect(() => decode(deep, 'float32')).toThrow('lists in at most 64 levels');
  });
});
