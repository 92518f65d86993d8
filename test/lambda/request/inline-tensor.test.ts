import * as fc from 'fast-check';
import { decodeInlineTensor, encodeInlineTensor, inlineBytes } from '../../../lambda/request/inline-tensor';
import { typedView, type NumericTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';

function elements(value: unknown): unknown[] {
  return [...typedView(decodeInlineTensor('x', value) as NumericTensor)];
}

describe('an inline tensor', () => {
  it('decodes to the tensor that was encoded, through JSON', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const json: unknown = JSON.parse(JSON.stringify(encodeInlineTensor(tensor)));
        const decoded = decodeInlineTensor('x', json);
        expect(comparable(new Map([['x', decoded]]))).toEqual(comparable(new Map([['x', tensor]])));
      }),
    );
  });

  it('has as many bytes as inlineBytes returns', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const { base64, data } = encodeInlineTensor(tensor);
        const written = base64 ?? JSON.stringify(data);
        expect(inlineBytes(tensor)).toBe(Buffer.byteLength(written));
      }),
    );
  });

  it.each<[string, unknown[], unknown[]]>([
    ['float32', [1, -0, 0.1], [1, -0, Math.fround(0.1)]],
    ['float64', [1e300, 0.1], [1e300, 0.1]],
    ['float16', [1, -2], [0x3c00, 0xc000]],
    ['int8', [-128, 127], [-128, 127]],
    ['int64', [-3, Number.MAX_SAFE_INTEGER], [-3n, 9007199254740991n]],
    ['uint64', [0, 7], [0n, 7n]],
    ['uint32', [4294967295], [4294967295]],
    ['bool', [true, false], [1, 0]],
  ])('decodes %s from data', (dtype, data, expected) => {
    expect(elements({ dtype, shape: [data.length], data })).toEqual(expected);
  });

  it('decodes strings from data', () => {
    expect(decodeInlineTensor('x', { dtype: 'string', shape: [1, 2], data: ['', 'ü'] })).toEqual({
      dtype: 'string',
      shape: [1, 2],
      strings: ['', 'ü'],
    });
  });

  it.each<[string, unknown, string]>([
    ['a number instead of an object', 3, "input 'x' must be a JSON object, got 3"],
    ['an unknown field', { dtype: 'int8', shape: [0], data: [], name: 'x' }, "unknown field 'name'"],
    ['an unknown dtype', { dtype: 'bfloat16', shape: [0], data: [] }, 'got "bfloat16"'],
    [
      'a bad shape',
      { dtype: 'int8', shape: [-1], data: [] },
      "'shape' of input 'x' must be a list of whole numbers",
    ],
    ['no elements', { dtype: 'int8', shape: [0] }, 'must have exactly one of base64 and data, got neither'],
    ['elements twice', { dtype: 'int8', shape: [0], data: [], base64: '' }, 'got both'],
    ['too few elements', { dtype: 'int8', shape: [2], data: [1] }, 'must be 2 elements for int8[2], got 1'],
    ['nested elements', { dtype: 'int8', shape: [1], data: [[1]] }, 'got [1]'],
    [
      'a number too large',
      { dtype: 'int8', shape: [1], data: [128] },
      'from -128 to 127 for int8, or base64, got 128',
    ],
    ['a negative uint', { dtype: 'uint8', shape: [1], data: [-1] }, 'from 0 to 255'],
    ['a fraction of an integer', { dtype: 'int32', shape: [1], data: [0.5] }, 'whole numbers'],
    ['an inexact int64', { dtype: 'int64', shape: [1], data: [2 ** 53] }, 'or base64, got 9007199254740992'],
    ['a number beyond float32', { dtype: 'float32', shape: [1], data: [1e39] }, 'got 1e+39'],
    ['a number beyond float16', { dtype: 'float16', shape: [1], data: [65505] }, 'to 65504 for float16'],
    ['null for NaN', { dtype: 'float32', shape: [1], data: [null] }, 'got null'],
    ['a number for a bool', { dtype: 'bool', shape: [1], data: [1] }, 'true or false for bool, got 1'],
    [
      'a number for a string',
      { dtype: 'string', shape: [1], data: [1] },
      "'data' of input 'x' must be strings, got 1",
    ],
    ['base64 strings', { dtype: 'string', shape: [1], base64: 'AAAA' }, 'must be strings, got base64'],
    [
      'short base64',
      { dtype: 'int8', shape: [2], base64: 'AA==' },
      'base64 of 2 bytes for int8[2], got 1 bytes',
    ],
    [
      'URL-safe base64',
      { dtype: 'int8', shape: [3], base64: '--__' },
      "'base64' of input 'x' must be padded base64",
    ],
    [
      'unpadded base64',
      { dtype: 'int8', shape: [1], base64: 'AA' },
      'got 2 characters that are not padded base64',
    ],
    ['base64 that is a number', { dtype: 'int8', shape: [1], base64: 7 }, 'got 7'],
    [
      'a bool of 2',
      { dtype: 'bool', shape: [1], base64: 'Ag==' },
      "ONNX Runtime cannot take input 'x': bool 0 is the byte 2",
    ],
    [
      'a NUL in a string',
      { dtype: 'string', shape: [1], data: ['a\0b'] },
      "ONNX Runtime cannot take input 'x': string 0 has a NUL",
    ],
    ['a lone surrogate', { dtype: 'string', shape: [1], data: ['\ud800'] }, 'lone surrogate'],
  ])('is refused with %s', (_, value, message) => {
    expect(() => decodeInlineTensor('x', value)).toThrow(message);
    expect(() => decodeInlineTensor('x', value)).toThrow(
      expect.objectContaining({ name: 'InvalidInput' }) as Error,
    );
  });
});
