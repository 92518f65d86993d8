import * as fc from 'fast-check';
import { JsonError, parseJson } from '../../../bin/tensor-files/parse-json';

describe('JSON', () => {
  it('has the values of JSON.parse', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, undefined, space);
        // A member named __proto__ is not one of the prototype.
        expect(JSON.stringify(parseJson(spaced), rounded)).toBe(JSON.stringify(value));
      }),
    );
  });

  it('is refused exactly when JSON.parse refuses it', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b',
      '"\\u00fc"',
      '1',
      '-0.5',
      '01',
      'null',
      'tru',
      ' ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        fc.pre(!/("a").*\1/.test(text));
        expect(outcome(() => parseJson(text))).toBe(outcome(() => JSON.parse(text) as unknown));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps whole numbers above 2^53', () => {
    expect(parseJson('[9007199254740993, -9223372036854775808, 9007199254740991, 1e20, -0]')).toEqual([
      9007199254740993n,
      -(2n ** 63n),
      9007199254740991,
      1e20,
      -0,
    ]);
  });

  it.each([
    ['{"x": 1,\n"x": 2}', 'two members of one name in line 2'],
    ['1e999', 'a number beyond float64 in line 1'],
    ['['.repeat(200), 'more than 100 levels'],
    ['"\\ud8"', 'a malformed string'],
    ['"a\\"', 'a string without an end'],
    ['[1] 2', 'more after the end'],
    ['{"a" 1}', 'no :'],
    ['', 'an end before it is complete'],
  ])('%s is refused', (text, message) => {
    expect(() => parseJson(text)).toThrow(JsonError);
    expect(() => parseJson(text)).toThrow(message);
  });

  it('of ten million characters in one string is read', () => {
    expect(parseJson(`"${'ab\\"'.repeat(2_500_000)}"`)).toHaveLength(7_500_000);
  });
});

/** Whole numbers as `JSON.parse` has them. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse(), rounded);
  } catch {
    return 'refused';
  }
}
