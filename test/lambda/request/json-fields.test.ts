import { briefJson, jsonObject, objectWithFields } from '../../../lambda/request/json-fields';

describe('a value in an error message', () => {
  it.each<[string, unknown, string]>([
    ['is JSON', { a: ['b', null] }, '{"a":["b",null]}'],
    ['reads "nothing" if it is undefined', undefined, 'nothing'],
    ['is whole if its JSON has 60 characters', 'x'.repeat(58), `"${'x'.repeat(58)}"`],
    ['is cut to 60 characters if its JSON has 61', 'x'.repeat(59), `"${'x'.repeat(58)}…`],
    ['is cut to 60 characters if it is a long list', Array(500).fill(1), `[${'1,'.repeat(29)}…`],
  ])('%s', (_, value, text) => {
    expect(briefJson(value)).toBe(text);
  });
});

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
    [[1], '[1]'],
    ['text', '"text"'],
    [7, '7'],
  ])('is not %j', (value, got) => {
    expect(() => jsonObject(value, 'the value')).toThrow(
      expect.objectContaining({
        name: 'InvalidInput',
        message: `the value must be a JSON object, got ${got}`,
      }) as Error,
    );
  });
});
