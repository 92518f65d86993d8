import * as fc from 'fast-check';
import { isSum, statedSize } from '../../../lib/shapes/dimension-sums';

const SIZES = { past: 128, sequence: 7, a: 1, b: 2, c: 3, 'batch-size': 4, past_sequence_length: 100 };

describe('the size that a name states', () => {
  test.each([
    ['past_sequence_length + 1', 101],
    ['past + sequence - 1', 134],
    ['a+b+c', 6],
    ['past - sequence - 1', 120],
    ['past-1', 127],
    ['past-sequence', 121],
    ['past + 2*sequence', 142],
    ['(past + sequence) / 2', 67],
    ['sequence // 2', 3],
    ['3 * (a + (b - c))', 1],
    ['batch-size + 1', 5],
    ['batch-size - 1', 3],
    ['sequence - past', 1],
  ])('of %s is that of its parts', (name, size) => {
    expect(statedSize(name, SIZES)).toBe(size);
  });

  test.each([
    ['one dimension', 'past'],
    ['a number', '12'],
    ['an unknown part', 'past + other'],
    ['an inherited member of objects', 'constructor + 1'],
    ['a missing part', 'past +'],
    ['an open bracket', '(past + 1'],
    ['a closing bracket', 'past + 1)'],
    ['nothing but operators', '+-*'],
    ['a division by zero', 'past / 0'],
    ['a result that is too large', '999999999 * 999999999'],
    ['a long name', Array<string>(200_000).fill('a').join('+')],
    ['many brackets', `${'('.repeat(200_000)}a${')'.repeat(200_000)}`],
  ])('is unknown for %s', (_, name) => {
    expect(statedSize(name, SIZES)).toBeUndefined();
  });

  test('is the sum of any number of terms', () => {
    const terms = fc.array(fc.tuple(fc.constantFrom('+', '-'), fc.constantFrom('a', 'b', 'c', '5')), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(terms, (list) => {
        const value = (term: string) => (term === '5' ? 5 : SIZES[term as 'a' | 'b' | 'c']);
        const sum = list.reduce((all, [sign, term]) => all + (sign === '+' ? 1 : -1) * value(term), 128);
        const name = `past ${list.map(([sign, term]) => `${sign} ${term}`).join(' ')}`;
        expect(statedSize(name, SIZES)).toBe(Math.max(1, sum));
      }),
    );
  });

  test('is a size or unknown for any text', () => {
    const text = fc.array(fc.constantFrom('a', '+', '-', '*', '/', '//', '(', ')', ' ', '1', 'x'));
    fc.assert(
      fc.property(text, (parts) => {
        const size = statedSize(parts.join(''), SIZES);
        expect(size === undefined || (size >= 1 && size <= 2 ** 31)).toBe(true);
      }),
    );
  });
});

test('a name with an operator is a sum, and one with a hyphen is not', () => {
  expect(['a+1', 'a - b', 'a/2', 'a * b', 'batch-size', 'seq-1', 'past'].filter(isSum)).toEqual([
    'a+1',
    'a - b',
    'a/2',
    'a * b',
  ]);
});
