import { fieldValue, kindOf, quotedName } from '../../lambda/json-values';

/** A list in a list in a list, 200,000 times. `JSON.stringify` would overflow the stack. */
function deepList(): unknown {
  let list: unknown[] = [];
  for (let depth = 0; depth < 200_000; depth++) list = [list];
  return list;
}

describe('the kind of a value', () => {
  it.each<[unknown, string]>([
    [undefined, 'nothing'],
    [null, 'null'],
    ['secret', 'a string of length 6'],
    [[1, 2], 'a list of length 2'],
    [{ secret: 1 }, 'an object'],
    [4711, 'a number'],
    [true, 'a boolean'],
  ])('of %j is %s', (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });

  it('is known for a value of any depth', () => {
    expect(kindOf(deepList())).toBe('a list of length 1');
    expect(fieldValue(deepList())).toBe('a list with a list of length 1 at position 0');
  });
});

describe('the value of a field', () => {
  it.each<[unknown, string]>([
    ['bfloat16', '"bfloat16"'],
    [2, '2'],
    [false, 'false'],
    [[1, -1, 0], '[1,-1,0]'],
    [null, 'null'],
    [undefined, 'nothing'],
  ])('%j is shown', (value, text) => {
    expect(fieldValue(value)).toBe(text);
  });

  it.each<[unknown, string]>([
    ['two words', 'a string of length 9'],
    ['x'.repeat(21), 'a string of length 21'],
    ['', 'a string of length 0'],
    [Array(9).fill(1), 'a list of length 9'],
    [4711.4711, 'a number that is not whole'],
    [[1, 0.5], 'a list with a number that is not whole at position 1'],
    [[1, 'secret'], 'a list with a string of length 6 at position 1'],
    [{ secret: 1 }, 'an object'],
  ])('%j is only described', (value, text) => {
    expect(fieldValue(value)).toBe(text);
  });
});

test('a name is cut to 60 characters', () => {
  expect(quotedName('a'.repeat(60))).toBe(`'${'a'.repeat(60)}'`);
  expect(quotedName('a'.repeat(61))).toBe(`'${'a'.repeat(59)}…'`);
});

test('a name stays in one line', () => {
  expect(quotedName('a\nb\u0085c\u2028d\u001b[31m')).toBe("'a\ufffdb\ufffdc\ufffdd\ufffd[31m'");
});
