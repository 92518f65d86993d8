import * as fc from 'fast-check';
import { toNestedArray, type NestedArray } from '../../../client';
import { fromNested } from '../../../client/tensors/from-nested';
import { toTyped } from '../../../client/tensors/from-raw';
import { rawTensors } from '../../../client/tensors/to-raw';
import type { TensorDataType, TensorSpec } from '../../../contract/tensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, rawTensor } from '../../support/arbitrary-tensors';

function specOf({ dtype, shape }: Pick<RawTensor, 'dtype' | 'shape'>): TensorSpec {
  return { name: 'x', dtype, shape };
}

function bytesOf(tensor: RawTensor): unknown {
  return comparable(new Map([['x', tensor]]));
}

/** NaN has many bit patterns, and a nested array has one. */
function hasNan(nested: NestedArray): boolean {
  return Array.isArray(nested) ? nested.some(hasNan) : Number.isNaN(nested);
}

describe('a tensor of any element type', () => {
  it('is the same after the way through nested lists, -0 and infinities included', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const nested = toNestedArray(tensor);
        fc.pre(!hasNan(nested));
        expect(bytesOf(fromNested(specOf(tensor), nested))).toEqual(bytesOf(tensor));
      }),
    );
  });

  it('is the same after the way through a typed array, and may be passed as raw bytes', () => {
    fc.assert(
      fc.property(rawTensor, (tensor) => {
        const typed = toTyped(tensor);
        const [raw] = rawTensors([specOf(tensor)], { x: typed }).values();
        expect(bytesOf(raw)).toEqual(bytesOf(tensor));
        expect(toNestedArray(typed)).toEqual(toNestedArray(tensor));
        expect(rawTensors([specOf(tensor)], { x: tensor }).get('x')).toMatchObject({ ...tensor });
      }),
    );
  });
});

function reading(dtype: TensorDataType, shape: TensorSpec['shape'], value: unknown): () => RawTensor {
  return () => fromNested({ name: 'x', dtype, shape }, value as NestedArray);
}

describe('a nested array', () => {
  it.each([
    ['[[1, 2], [3]]', "'x'[1] must be a list of length 2, got a list of length 1"],
    ['[[[1], [2]], [[3], [4, 5]]]', "'x'[1][1] must be a list of length 1, got a list of length 2"],
  ])('is refused if it is ragged: %s', (json, words) => {
    const message = `input ${words}: all lists of one level must have the same length`;
    expect(reading('float32', null, JSON.parse(json))).toThrow(new Error(message));
  });

  it.each<[TensorDataType, unknown, string]>([
    ['float32', 1e39, 'a number in the range of float32, got 1e+39'],
    ['float32', '1', 'a number in the range of float32, got a string of length 1'],
    ['float16', 65520, 'a number in the range of float16, got 65520'],
    ['float64', 1n, 'a number in the range of float64, got a bigint'],
    ['int8', 128, 'a whole number in the range of int8, got 128'],
    ['int8', 0.5, 'a whole number in the range of int8, got 0.5'],
    ['int32', NaN, 'a whole number in the range of int32, got NaN'],
    ['uint8', -1, 'a whole number in the range of uint8, got -1'],
    ['bool', 1, 'true or false for bool, got 1'],
    ['string', 1, 'a string, got 1'],
  ])('is refused with the place of an element that %s cannot have: %p', (dtype, item, message) => {
    const good = dtype === 'string' ? 'a' : dtype === 'bool' ? true : 1;
    const whole = `input 'x'[0][1] must be ${message}: convert the element`;
    expect(reading(dtype, null, [[good, item]])).toThrow(new Error(whole));
  });

  const texts = ['9223372036854775808', '1.0', ' 1', '', '0x1', '1'.repeat(30)];
  it.each([2 ** 53, 0.5, 2n ** 63n, null, ...texts])(
    'is refused if it has an element that int64 cannot have: %p',
    (item) => {
      expect(reading('int64', [1], [item])).toThrow(
        /^input 'x'\[0\] must be a whole number in the range of int64, and a bigint or a text of digits above 2\^53-1, got /,
      );
    },
  );

  it.each<[TensorDataType, unknown, bigint]>([
    ['int64', -5, -5n],
    ['int64', -(2n ** 63n), -(2n ** 63n)],
    ['int64', '9223372036854775807', 2n ** 63n - 1n],
    ['uint64', '18446744073709551615', 2n ** 64n - 1n],
    ['uint64', Number.MAX_SAFE_INTEGER, BigInt(Number.MAX_SAFE_INTEGER)],
  ])('of %s takes %p', (dtype, item, expected) => {
    const tensor = fromNested({ name: 'x', dtype, shape: [] }, item as NestedArray);
    expect(toNestedArray(tensor)).toBe(expected);
  });

  it('gets the sizes that an empty list does not show from the signature', () => {
    const spec: TensorSpec = { name: 'x', dtype: 'float32', shape: ['n', 3, 'm'] };
    expect(fromNested(spec, []).shape).toEqual([0, 3, 0]);
    expect(fromNested(spec, [[], []]).shape).toEqual([2, 0, 0]);
    expect(fromNested({ ...spec, shape: null }, [[], []]).shape).toEqual([2, 0]);
  });

  it('is refused if it contains itself', () => {
    const list: unknown[] = [];
    list.push(list);
    const message =
      "input 'x' must be lists in at most 64 levels, got more: check whether a list contains itself";
    expect(reading('float32', null, list)).toThrow(new Error(message));
  });
});
