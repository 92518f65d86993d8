import * as fc from 'fast-check';
import {
  decodeInlineTensor,
  encodeInlineTensor,
  encodeShortest,
  inlineBytes,
} from '../../../lambda/request/inline-tensor';
import { typedView, type NumericTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';

function expectRefusal(value: unknown, details: unknown): void {
  const refused = expect.objectContaining({ name: 'InvalidInput', details }) as Error;
  expect(() => decodeInlineTensor('x', value)).toThrow(refused);
}

describe('an inline tensor', () => {
  it('decodes to the tensor that was encoded, through JSON, and has as many bytes as inlineBytes returns', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const encoded = encodeInlineTensor(tensor);
        const decoded = decodeInlineTensor('x', JSON.parse(JSON.stringify(encoded)));
        expect(comparable(new Map([['x', decoded]]))).toEqual(comparable(new Map([['x', tensor]])));
        const written = encoded.base64 ?? JSON.stringify(encoded.data);
        expect(inlineBytes(tensor)).toBe(Buffer.byteLength(written));
      }),
    );
  });

  it('of the shortest encoding decodes to the tensor, and is never longer than the other encoding', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const text = JSON.stringify(encodeShortest(tensor));
        const decoded = decodeInlineTensor('x', JSON.parse(text));
        expect(comparable(new Map([['x', decoded]]))).toEqual(comparable(new Map([['x', tensor]])));
        expect(text.length).toBeLessThanOrEqual(JSON.stringify(encodeInlineTensor(tensor)).length);
      }),
    );
  });

  it.each([
    ['int64', BigInt64Array.of(101n, -7n), [101, -7]],
    ['uint64', BigUint64Array.of(0n, 1n), [0, 1]],
    ['int32', Int32Array.of(1, 1, 0), [1, 1, 0]],
    ['uint32', Uint32Array.of(9, 9), [9, 9]],
    ['int32', Int32Array.of(2 ** 31 - 1, -(2 ** 31)), undefined],
    ['int64', BigInt64Array.of(2n ** 31n + 1n, 0n, 0n, 0n), undefined],
    ['uint64', BigUint64Array.of(2n ** 64n - 1n, 0n, 0n, 0n), undefined],
    ['float32', Float32Array.of(0, 1), undefined],
    ['int16', Int16Array.of(0, 1), undefined],
    ['bool', Uint8Array.of(0, 1), undefined],
  ] as const)('has %s %p as the numbers %p in the shortest encoding', (dtype, array, data) => {
    const tensor = { dtype, shape: [array.length], bytes: new Uint8Array(array.buffer) };
    expect(encodeShortest(tensor).data).toEqual(data);
  });

  it.each<[string, unknown[], unknown[]]>([
    ['float32', [1, -0, 0.1], [1, -0, Math.fround(0.1)]],
    ['float16', [1, -2], [0x3c00, 0xc000]],
    ['int8', [-128, 127], [-128, 127]],
    ['int64', [-3, Number.MAX_SAFE_INTEGER], [-3n, 9007199254740991n]],
    ['uint64', [0, 7], [0n, 7n]],
    ['bool', [true, false], [1, 0]],
  ])('decodes %s from data', (dtype, data, expected) => {
    const tensor = decodeInlineTensor('x', { dtype, shape: [data.length], data });
    expect([...typedView(tensor as NumericTensor)]).toEqual(expected);
  });

  it('decodes strings from data', () => {
    const strings = ['', 'ü'];
    const tensor = { dtype: 'string', shape: [1, 2], strings };
    expect(decodeInlineTensor('x', { dtype: 'string', shape: [1, 2], data: strings })).toEqual(tensor);
  });

  const dtypes =
    'one of float32, float64, float16, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool, string';
  const sizes = 'a list of whole numbers from 0 up';
  const number = 'a number at position 0';

  it.each<[object, string, string, string]>([
    [{ dtype: 'bfloat16', shape: [0], data: [] }, 'dtype', dtypes, '"bfloat16"'],
    [{ dtype: 'int8', shape: [-1] }, 'shape', sizes, '[-1]'],
    [{ dtype: 'string', shape: [1], base64: 'AAAA' }, 'data', 'strings', 'base64'],
    [{ dtype: 'int8', shape: [1], base64: 7 }, 'base64', 'base64 of 1 bytes for int8[1]', 'a number'],
    [{ dtype: 'int16', shape: [1], base64: 'AA==' }, 'base64', 'base64 of 2 bytes for int16[1]', '1 bytes'],
    ...['--__', 'AA'].map((base64): [object, string, string, string] => [
      { dtype: 'int8', shape: [3], base64 },
      'base64',
      'padded base64 of 3 bytes for int8[3]',
      `${base64.length} characters that are not padded base64`,
    ]),
    [{ dtype: 'int8', shape: [1], data: { 0: 1 } }, 'data', 'a flat list', 'an object'],
    [{ dtype: 'int8', shape: [2], data: [1] }, 'data', '2 elements for int8[2]', '1'],
    [{ dtype: 'string', shape: [1], data: [1] }, 'data', 'strings', number],
    [{ dtype: 'bool', shape: [1], data: [1] }, 'data', 'true or false for bool', number],
    ...(
      [
        ['int8', [1], 'whole numbers from -128 to 127', 'a list of length 1 at position 0'],
        ['int8', 128, 'whole numbers from -128 to 127', number],
        ['int32', 0.5, 'whole numbers from -2147483648 to 2147483647', number],
        ['int64', 2 ** 53, 'whole numbers from -9007199254740991 to 9007199254740991', number],
        ['float32', 1e39, 'numbers from -3.4028234663852886e+38 to 3.4028234663852886e+38', number],
        ['float16', null, 'numbers from -65504 to 65504', 'null at position 0'],
      ] as const
    ).map(([dtype, element, range, got]): [object, string, string, string] => {
      return [{ dtype, shape: [1], data: [element] }, 'data', `${range} for ${dtype}, or base64`, got];
    }),
  ])('is refused if it is %j', (value, field, expected, got) => {
    const message = `'${field}' of tensor 'x' must be ${expected}, got ${got}`;
    expectRefusal(value, { message, tensor: 'x', expected, got });
  });

  it.each<[unknown, string]>([
    [3, "tensor 'x' must be a JSON object, got a number"],
    [{ dtype: 'int8', shape: [0] }, "tensor 'x' must have exactly one of base64 and data, got neither"],
    [{ dtype: 'int8', shape: [0], data: [], base64: '' }, 'exactly one of base64 and data, got both'],
    [{ dtype: 'bool', shape: [1], base64: 'Ag==' }, "tensor 'x': bool 0 is a byte other than 0 and 1"],
    [{ dtype: 'string', shape: [1], data: ['a\0b'] }, 'string 0 has a NUL or a lone surrogate'],
    [{ name: 'x' }, "tensor 'x' has the unknown field 'name': use only dtype, shape, base64, data"],
  ])('is refused if it is %j', (value, words) => {
    expectRefusal(value, expect.objectContaining({ message: expect.stringContaining(words) as string }));
  });
});
