import * as fc from 'fast-check';
import { NamedFailure } from '../../../lambda/errors';
import { decodeInlineTensor, encodeInlineTensor, inlineBytes } from '../../../lambda/request/inline-tensor';
import { typedView, type NumericTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';

function elements(value: unknown): unknown[] {
  return [...typedView(decodeInlineTensor('x', value) as NumericTensor)];
}

/** The details of the error for a bad inline tensor named `x`. */
function refusal(value: unknown): unknown {
  try {
    decodeInlineTensor('x', value);
  } catch (error) {
    if (error instanceof NamedFailure && error.name === 'InvalidInput') return error.details;
    throw error;
  }
  return undefined;
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

  const dtypes =
    'one of float32, float64, float16, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool, string';

  it.each<[string, object, string, string, string]>([
    ['an unknown dtype', { dtype: 'bfloat16', shape: [0], data: [] }, 'dtype', dtypes, '"bfloat16"'],
    ['no dtype', { shape: [0], data: [] }, 'dtype', dtypes, 'nothing'],
    ['a bad shape', { dtype: 'int8', shape: [-1] }, 'shape', 'a list of whole numbers from 0 up', '[-1]'],
    [
      'a broken size',
      { dtype: 'int8', shape: [1.5] },
      'shape',
      'a list of whole numbers from 0 up',
      'a list with a number that is not whole at position 0',
    ],
    ['no shape', { dtype: 'int8', data: [] }, 'shape', 'a list of whole numbers from 0 up', 'nothing'],
    ['base64 strings', { dtype: 'string', shape: [1], base64: 'AAAA' }, 'data', 'strings', 'base64'],
    [
      'base64 that is a number',
      { dtype: 'int8', shape: [1], base64: 7 },
      'base64',
      'base64 of 1 bytes for int8[1]',
      'a number',
    ],
    [
      'base64 of too few bytes',
      { dtype: 'int16', shape: [1], base64: 'AA==' },
      'base64',
      'base64 of 2 bytes for int16[1]',
      '1 bytes',
    ],
    [
      'URL-safe base64',
      { dtype: 'int8', shape: [3], base64: '--__' },
      'base64',
      'padded base64 of 3 bytes for int8[3]',
      '4 characters that are not padded base64',
    ],
    [
      'unpadded base64',
      { dtype: 'int8', shape: [1], base64: 'AA' },
      'base64',
      'padded base64 of 1 bytes for int8[1]',
      '2 characters that are not padded base64',
    ],
    [
      'elements in an object',
      { dtype: 'int8', shape: [1], data: { 0: 1 } },
      'data',
      'a flat list',
      'an object',
    ],
    [
      'a text as elements',
      { dtype: 'string', shape: [1], data: 'a' },
      'data',
      'a flat list',
      'a string of length 1',
    ],
    ['too few elements', { dtype: 'int8', shape: [2], data: [1] }, 'data', '2 elements for int8[2]', '1'],
    [
      'nested elements',
      { dtype: 'int8', shape: [1], data: [[1]] },
      'data',
      'whole numbers from -128 to 127 for int8, or base64',
      'a list of length 1 at position 0',
    ],
    [
      'a number that is too large',
      { dtype: 'int8', shape: [1], data: [128] },
      'data',
      'whole numbers from -128 to 127 for int8, or base64',
      'a number at position 0',
    ],
    [
      'a negative uint',
      { dtype: 'uint8', shape: [1], data: [-1] },
      'data',
      'whole numbers from 0 to 255 for uint8, or base64',
      'a number at position 0',
    ],
    [
      'a fraction of an integer',
      { dtype: 'int32', shape: [1], data: [0.5] },
      'data',
      'whole numbers from -2147483648 to 2147483647 for int32, or base64',
      'a number at position 0',
    ],
    [
      'an inexact int64',
      { dtype: 'int64', shape: [1], data: [2 ** 53] },
      'data',
      'whole numbers from -9007199254740991 to 9007199254740991 for int64, or base64',
      'a number at position 0',
    ],
    [
      'a number beyond float32',
      { dtype: 'float32', shape: [1], data: [1e39] },
      'data',
      'numbers from -3.4028234663852886e+38 to 3.4028234663852886e+38 for float32, or base64',
      'a number at position 0',
    ],
    [
      'a number beyond float16',
      { dtype: 'float16', shape: [1], data: [65505] },
      'data',
      'numbers from -65504 to 65504 for float16, or base64',
      'a number at position 0',
    ],
    [
      'null for NaN',
      { dtype: 'float16', shape: [1], data: [null] },
      'data',
      'numbers from -65504 to 65504 for float16, or base64',
      'null at position 0',
    ],
    [
      'a number for a bool',
      { dtype: 'bool', shape: [1], data: [1] },
      'data',
      'true or false for bool',
      'a number at position 0',
    ],
    [
      'a number for a string',
      { dtype: 'string', shape: [1], data: [1] },
      'data',
      'strings',
      'a number at position 0',
    ],
  ])('is refused with %s', (_, value, field, expected, got) => {
    const message = `'${field}' of tensor 'x' must be ${expected}, got ${got}`;
    expect(refusal(value)).toEqual({ message, tensor: 'x', expected, got });
  });

  it.each<[string, object, string]>([
    ['no elements', { dtype: 'int8', shape: [0] }, 'neither'],
    ['elements twice', { dtype: 'int8', shape: [0], data: [], base64: '' }, 'both'],
  ])('is refused with %s', (_, value, got) => {
    const expected = 'exactly one of base64 and data';
    const message = `tensor 'x' must have ${expected}, got ${got}`;
    expect(refusal(value)).toEqual({ message, tensor: 'x', expected, got });
  });

  it.each<[string, object, string]>([
    ['a bool of 2', { dtype: 'bool', shape: [1], base64: 'Ag==' }, 'bool 0 is a byte other than 0 and 1'],
    [
      'a NUL in a string',
      { dtype: 'string', shape: [1], data: ['a\0b'] },
      'string 0 has a NUL or a lone surrogate',
    ],
    [
      'a lone surrogate',
      { dtype: 'string', shape: [2], data: ['a', '\ud800'] },
      'string 1 has a NUL or a lone surrogate',
    ],
  ])('is refused with %s', (_, value, reason) => {
    const message = `ONNX Runtime cannot represent tensor 'x': ${reason}`;
    expect(refusal(value)).toEqual({ message, tensor: 'x' });
  });

  it.each<[string, unknown, string]>([
    ['a number instead of an object', 3, "tensor 'x' must be a JSON object, got a number"],
    [
      'an unknown field',
      { dtype: 'int8', shape: [0], data: [], name: 'x' },
      "tensor 'x' has the unknown field 'name': use only dtype, shape, base64, data",
    ],
  ])('is refused with %s', (_, value, message) => {
    expect(refusal(value)).toEqual({ message });
  });
});
