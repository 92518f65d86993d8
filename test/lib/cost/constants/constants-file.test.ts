import {
  type Constant,
  type ConstantTable,
  KNOWN,
  UNITS,
  valuesOf,
} from '../../../../lib/cost/constants/constant';
import {
  MAX_CONSTANTS_BYTES,
  parseConstants,
  printConstants,
} from '../../../../lib/cost/constants/constants-file';
import { DEFAULT_ENVIRONMENT, ENVIRONMENT } from '../../../../lib/cost/constants/environment';
import { DEFAULT_PRICES, PRICES } from '../../../../lib/cost/constants/prices';

const REQUESTS = { value: 0.3, unit: 'USD/million' };

function prices(root: unknown): typeof PRICES {
  return parseConstants(JSON.stringify(root), 'p.json', 'prices', PRICES);
}

function pricesOf(lambda: unknown): typeof PRICES {
  return prices({ version: 1, prices: { lambda } });
}

function environmentOf(s3: unknown): typeof ENVIRONMENT {
  return parseConstants(
    JSON.stringify({ version: 1, environment: { s3 } }),
    'e.json',
    'environment',
    ENVIRONMENT,
  );
}

const all = (table: ConstantTable): Constant[] =>
  Object.values(table).flatMap((group) => Object.values(group));

describe('the constants', () => {
  it.each([
    ['prices', PRICES],
    ['environment', ENVIRONMENT],
  ] as const)('of %s each have a unit, a source and a date', (_, table) => {
    for (const { unit, source, date, known } of all(table)) {
      expect(Object.keys(UNITS)).toContain(unit);
      expect(KNOWN).toContain(known);
      expect(source).not.toBe('');
      expect(date).toMatch(/^20\d\d-\d\d$/);
    }
  });

  it('can be printed as a file that replaces nothing', () => {
    const printedPrices = printConstants('prices', PRICES);
    const printedEnvironment = printConstants('environment', ENVIRONMENT);

    expect(parseConstants(printedPrices, 'p.json', 'prices', PRICES)).toEqual(PRICES);
    expect(parseConstants(printedEnvironment, 'e.json', 'environment', ENVIRONMENT)).toEqual(ENVIRONMENT);
  });
});

describe('a file of constants', () => {
  it('replaces one constant and leaves the others', () => {
    const values = valuesOf(pricesOf({ requests: REQUESTS }));

    expect(values.lambda.requests).toBe(0.3);
    expect({ ...values, lambda: { ...values.lambda, requests: 0.2 } }).toEqual(DEFAULT_PRICES);
  });

  it('does not change the defaults', () => {
    pricesOf({ requests: REQUESTS });

    expect(PRICES.lambda.requests.value).toBe(0.2);
    expect(DEFAULT_ENVIRONMENT).toEqual(valuesOf(ENVIRONMENT));
  });

  it('is the source of what it replaces, unless it names another', () => {
    const named = { ...REQUESTS, source: 'our contract', date: '2027-01' };

    expect(pricesOf({ requests: REQUESTS }).lambda.requests).toMatchObject({
      known: 'replaced',
      source: 'p.json',
    });
    expect(pricesOf({ requests: named }).lambda.requests).toMatchObject({
      known: 'replaced',
      source: 'our contract',
      date: '2027-01',
    });
  });

  it('replaces percentiles', () => {
    const table = environmentOf({ standardGet: { value: [[50, 20]], unit: 'ms by percent' } });

    expect(table.s3.standardGet.value).toEqual([[50, 20]]);
  });

  it.each([
    ['no object', [], "prices file 'p.json' must be an object, got a list of 0"],
    ['another version', { version: 2, prices: {} }, "version of prices file 'p.json' must be 1, got 2"],
    ['no version', { prices: {} }, 'must be 1, got nothing'],
    ['no prices', { version: 1 }, "prices of prices file 'p.json' must be an object, got nothing"],
    [
      'an unknown field',
      { version: 1, prices: {}, more: 1 },
      "no field other than version, prices, got 'more'",
    ],
    ['an unknown group', { version: 1, prices: { lamda: {} } }, 'no field other than lambda, s3,'],
    ['a group that is null', { version: 1, prices: { lambda: null } }, 'prices.lambda of prices file'],
  ])('is refused with %s', (_, root, message) => {
    expect(() => prices(root)).toThrow(message);
  });

  it.each([
    ['an unknown constant', { request: REQUESTS }, "got 'request'"],
    [
      'a bare number',
      { requests: 0.3 },
      "prices.lambda.requests of prices file 'p.json' must be an object, got 0.3",
    ],
    ['no unit', { requests: { value: 1 } }, "must be 'USD/million', got nothing"],
    ['another unit', { requests: { value: 1, unit: 'USD' } }, "must be 'USD/million', got 'USD'"],
    ['no value', { requests: { unit: 'USD/million' } }, 'must be a number from 0 to 100000, got nothing'],
    ['a negative value', { requests: { ...REQUESTS, value: -1 } }, 'got -1'],
    ['an absurd value', { requests: { ...REQUESTS, value: 1e9 } }, 'got 1000000000'],
    ['text as a value', { requests: { ...REQUESTS, value: '0.2' } }, "got '0.2'"],
    ['pairs in place of a number', { requests: { ...REQUESTS, value: [[50, 1]] } }, 'got a list of 1'],
    ['NaN, which JSON writes as null', { requests: { ...REQUESTS, value: NaN } }, 'got null'],
    ['an unknown field of a constant', { requests: { ...REQUESTS, note: '' } }, "got 'note'"],
    [
      'a long source',
      { requests: { ...REQUESTS, source: 'x'.repeat(501) } },
      'at most 500 characters, got 501',
    ],
    ['a source that is no text', { requests: { ...REQUESTS, source: 1 } }, 'must be text, got 1'],
    ['an unknown kind of knowledge', { requests: { ...REQUESTS, known: 'guessed' } }, "got 'guessed'"],
  ])('is refused with %s', (_, lambda, message) => {
    expect(() => pricesOf(lambda)).toThrow(message);
  });

  it.each([
    ['no pairs', [], 'must be a list of 1 to 64 pairs, got a list of 0'],
    ['too many pairs', Array.from({ length: 65 }, (_, index) => [index + 1, 1]), 'got a list of 65'],
    ['a number', 20, 'must be a list of 1 to 64 pairs, got 20'],
    [
      'a pair of three',
      [[1, 2, 3]],
      "standardGet.value[0] of environment file 'e.json' must be a pair of numbers",
    ],
    ['a percentage above 100', [[101, 5]], 'standardGet.value[0][0] of environment file'],
    ['a negative delay', [[50, -5]], 'must be a number from 0 to 10000, got -5'],
    ['a delay of hours', [[50, 1e7]], 'got 10000000'],
    [
      'percentages that fall',
      [
        [50, 5],
        [40, 6],
      ],
      'must be above 50, got 40',
    ],
    [
      'delays that fall',
      [
        [50, 5],
        [60, 4],
      ],
      'must be at least 5, got 4',
    ],
  ])('is refused if a distribution has %s', (_, value, message) => {
    expect(() => environmentOf({ standardGet: { value, unit: 'ms by percent' } })).toThrow(message);
  });

  it.each([
    ['text that is not JSON', '{', 'must be JSON, got text that is not JSON'],
    ['nothing', '  ', 'got an empty file'],
    ['deep lists', '['.repeat(300_000), 'got text that is not JSON'],
    [
      'Infinity by a large exponent',
      '{"version":1,"prices":{"lambda":{"requests":{"value":1e999,"unit":"USD/million"}}}}',
      'must be a number from 0 to 100000',
    ],
    ['a prototype', '{"version":1,"prices":{"__proto__":{"requests":1}}}', "got '__proto__'"],
    ['too many bytes', ' '.repeat(MAX_CONSTANTS_BYTES + 1), `must have at most ${MAX_CONSTANTS_BYTES} bytes`],
  ])('is refused if it holds %s', (_, text, message) => {
    expect(() => parseConstants(text, 'p.json', 'prices', PRICES)).toThrow(message);
  });

  it('cannot garble an error with its names', () => {
    expect(() => pricesOf({ 'a\u001b[31m\nb': 1 })).toThrow("got 'a\\x1b[31m\\x0ab': correct the file");
  });
});
