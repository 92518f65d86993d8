import { jsonObject, objectWithFields } from '../../../lambda/request/json-fields';

describe('a JSON object', () => {
  it('is returned if it has only allowed fields', () => {
    expect(objectWithFields({ b: 1 }, ['a', 'b'], 'the value')).toEqual({ b: 1 });
  });

  it('is refused with the first field that is not allowed', () => {
    expect(() => objectWithFields({ a: 1, c: 2, d: 3 }, ['a', 'b'], 'the value')).toThrow(
      /^the value has the unknown field 'c': use only a, b$/,
    );
  });

  it.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [[1], 'a list of length 1'],
    ['text', 'a string of length 4'],
    [7, 'a number'],
  ])('is not %j', (value, got) => {
    expect(() => jsonObject(value, 'the value')).toThrow(
      expect.objectContaining({
        name: 'InvalidInput',
        message: `the value must be a JSON object, got ${got}`,
      }) as Error,
    );
  });
});
