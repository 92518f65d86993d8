import { fieldValue, kindOf, quotedName } from '../../lambda/json-values';

it.each<[unknown, string, string]>([
  [undefined, 'nothing', 'nothing'],
  [null, 'null', 'null'],
  [2, 'a number', '2'],
  [4711.4711, 'a number', 'a number that is not whole'],
  [{ secret: 1 }, 'an object', 'an object'],
  ['bfloat16', 'a string of length 8', '"bfloat16"'],
  ['two words', 'a string of length 9', 'a string of length 9'],
  [[1, -1, 0], 'a list of length 3', '[1,-1,0]'],
  [Array(9).fill(1), 'a list of length 9', 'a list of length 9'],
  [[1, 'secret'], 'a list of length 2', 'a list with a string of length 6 at position 1'],
])('%j is %s, and shown as %s in a field', (value, kind, field) => {
  expect(kindOf(value)).toBe(kind);
  expect(fieldValue(value)).toBe(field);
});

it('cuts a name to 60 characters, in one line', () => {
  expect(quotedName('a'.repeat(60))).toBe(`'${'a'.repeat(60)}'`);
  expect(quotedName('a'.repeat(61))).toBe(`'${'a'.repeat(59)}…'`);
  expect(quotedName('a\nb\u0085c\u2028d\u001b[31m')).toBe("'a\ufffdb\ufffdc\ufffdd\ufffd[31m'");
});
