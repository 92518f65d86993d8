import { requestBytes, sizedShape, symbolicNames, tensorBytes } from '../../../lib/shapes/value-types';

describe('symbolic dimensions', () => {
  test('have names of the form x[1] if the model does not name them', () => {
    expect(
      symbolicNames([
        { name: 'x', shape: ['n', null, 3, null] },
        { name: 'y', shape: ['n'] },
      ]),
    ).toEqual(['n', 'x[1]', 'x[3]']);
  });

  test('have their sizes in the shape of an input', () => {
    expect(sizedShape('x', ['n', null, 3, 'other'], { n: 2, 'x[1]': 5 })).toEqual([2, 5, 3, 'other']);
    expect(sizedShape('x', null, { n: 2 })).toBeNull();
  });
});

describe('bytes', () => {
  test('of a tensor depend on its type', () => {
    expect(tensorBytes('float32', 10)).toBe(40);
    expect(tensorBytes('bfloat16', 10)).toBe(20);
    expect(tensorBytes('int4', 3)).toBe(2);
    expect(tensorBytes('string', 3)).toBe(96);
    expect(tensorBytes(undefined, 3)).toBe(12);
  });

  test('of a request count 1 for a dimension without a size', () => {
    const inputs = [
      { name: 'x', dtype: 'float32', shape: ['n', null, 3] },
      { name: 'y', dtype: 'int64', shape: [] },
    ];
    expect(requestBytes(inputs, { n: 2, 'x[1]': 5 })).toBe(2 * 5 * 3 * 4 + 8);
    expect(requestBytes(inputs, {})).toBe(3 * 4 + 8);
  });
});
