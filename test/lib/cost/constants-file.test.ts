import {
  type Constant,
  type ConstantTable,
  KNOWN,
  UNITS,
  valuesOf,
} from '../../../lib/cost/constants/constant';
import { MAX_CONSTANTS_BYTES, parseConstants } from '../../../lib/cost/constants/constants-file';
import {
  DEFAULT_ENVIRONMENT,
  ENVIRONMENT,
  DEFAULT_PRICES,
  PRICES,
} from '../../../lib/cost/constants/defaults';

const REQUESTS = { value: 0.3, unit: 'USD/million' };

const parsed = (text: string): typeof PRICES => parseConstants(text, 'p.json', 'prices', PRICES);
const pricesOf = (lambda: unknown): typeof PRICES =>
  parsed(JSON.stringify({ version: 1, prices: { lambda } }));
const environmentWith = (environment: object): typeof ENVIRONMENT =>
  parseConstants(JSON.stringify({ version: 1, environment }), 'e.json', 'environment', ENVIRONMENT);
const withGets = (value: unknown): typeof ENVIRONMENT =>
  environmentWith({ s3: { standardGet: { value, unit: 'ms by percent' } } });
const withLambda = (lambda: object): typeof ENVIRONMENT => environmentWith({ lambda });

it.each([
  ['prices', PRICES],
  ['environment', ENVIRONMENT],
])('each constant of %s has a unit, a source and a date', (_, table) => {
  const all = Object.values(table as ConstantTable).flatMap((group): Constant[] => Object.values(group));
  for (const { unit, source, date, known } of all) {
    expect(Object.keys(UNITS)).toContain(unit);
    expect(KNOWN).toContain(known);
    expect(source).not.toBe('');
    expect(date).toMatch(/^20\d\d-\d\d$/);
  }
});

describe('a file of constants', () => {
  it('replaces one constant, and leaves the others and the defaults', () => {
    const values = valuesOf(pricesOf({ requests: REQUESTS }));
    expect(values.lambda.requests).toBe(0.3);
    expect({ ...values, lambda: { ...values.lambda, requests: 0.2 } }).toEqual(DEFAULT_PRICES);
    expect(PRICES.lambda.requests.value).toBe(0.2);
    expect(DEFAULT_ENVIRONMENT).toMatchObject(valuesOf(ENVIRONMENT));
    expect(withGets([[50, 20]]).s3.standardGet.value).toEqual([[50, 20]]);
  });

  it('is the source of what it replaces, unless it names another', () => {
    const own = pricesOf({ requests: REQUESTS }).lambda.requests;
    expect(own).toMatchObject({ known: 'replaced', source: 'p.json' });
    const source = { source: 'our contract', date: '2027-01' };
    const named = pricesOf({ requests: { ...REQUESTS, ...source } }).lambda.requests;
    expect(named).toMatchObject({ known: 'replaced', ...source });
  });

  it.each([
    ['[]', "prices file 'p.json' must be an object, got a list of 0"],
    ['{"version":2,"prices":{}}', "version of prices file 'p.json' must be 1, got 2"],
    ['{"version":1,"prices":{},"more":1}', "no field other than version, prices, got 'more'"],
    ['{"version":1,"prices":{"lamda":{}}}', 'no field other than lambda, s3,'],
    ['{"version":1,"prices":{"__proto__":{"requests":1}}}', "got '__proto__'"],
    [
      '{"version":1,"prices":{"lambda":{"requests":{"value":1e999,"unit":"USD/million"}}}}',
      'must be a number from 0 to 100000',
    ],
    ['{', 'must be JSON, got text that is not JSON'],
    ['['.repeat(300_000), 'got text that is not JSON'],
    [' '.repeat(MAX_CONSTANTS_BYTES + 1), `must have at most ${MAX_CONSTANTS_BYTES} bytes`],
  ])('is refused if it holds %.80s', (text, message) => {
    expect(() => parsed(text)).toThrow(message);
  });

  it.each([
    [{ requests: 0.3 }, "prices.lambda.requests of prices file 'p.json' must be an object, got 0.3"],
    [{ requests: { value: 1, unit: 'USD' } }, "must be 'USD/million', got 'USD'"],
    [{ requests: { ...REQUESTS, value: -1 } }, 'got -1'],
    [{ requests: { ...REQUESTS, note: '' } }, "got 'note'"],
    [{ requests: { ...REQUESTS, spread: [0.5, 2] } }, 'must be absent, as prices are exact, got a list of 2'],
    [{ requests: { ...REQUESTS, source: 'x'.repeat(501) } }, 'at most 500 characters, got 501'],
    [{ 'a\u001b[31m\nb': 1 }, "got 'a\\x1b[31m\\x0ab': correct the file"],
  ])('is refused with the constants %j', (lambda, message) => {
    expect(() => pricesOf(lambda)).toThrow(message);
  });

  it('counts as ours where value and spread are ours', () => {
    const { value, unit, spread } = ENVIRONMENT.lambda.placementMs;
    expect(withLambda({ placementMs: { value, unit, spread } })).toEqual(ENVIRONMENT);
    const known = 'replaced';
    expect(withLambda({ placementMs: { value, unit } }).lambda.placementMs).toMatchObject({ known });
    const own = { value, unit, spread: [0.5, 3] };
    expect(withLambda({ placementMs: own }).lambda.placementMs).toMatchObject({ ...own, known });
  });

  it.each([
    ['placementMs', 'x', "lambda.placementMs.spread of environment file 'e.json' must be a list, got 'x'"],
    ['placementMs', null, 'must be a list, got null'],
    ['placementMs', [1], 'must have at least 2 entries'],
    ['placementMs', [-1, 1e308], 'spread[0] of environment file'],
    ['placementMs', [0.5, 1e308], 'must be a number from 1 to 10, got 1e+308: correct the file'],
    ['placementMs', [0.5, '2'], "must be a number from 1 to 10, got '2'"],
    ['placementMs', [2, 0.5], 'must be a number from 0 to 1, got 2'],
    // Functions that live longer are faster.
    ['keepAliveSeconds', [0.5, 2], 'must be a number from 1 to 10, got 0.5'],
  ])('is refused with %s and the spread %j', (name, spread, message) => {
    const { value, unit } = ENVIRONMENT.lambda[name as 'placementMs'];
    expect(() => withLambda({ [name]: { value, unit, spread } })).toThrow(message);
  });

  it('is refused if an end is no value of the constant', () => {
    const network = { refill: { value: 0.5, unit: 'share', spread: [1, 3] } };
    expect(() => environmentWith({ network })).toThrow(
      "network.refill.value times spread of environment file 'e.json' must be a number from 0 to 1, got 1.5",
    );
  });

  it.each([
    [[], 'must be a list of 1 to 64 pairs, got a list of 0'],
    [Array.from({ length: 65 }, (_, index) => [index + 1, 1]), 'got a list of 65'],
    [[[1, 2, 3]], "standardGet.value[0] of environment file 'e.json' must be a pair of numbers"],
    [[[50, -5]], 'must be a number from 0 to 10000, got -5'],
    [JSON.parse('[[50,5],[40,6]]'), 'must be above 50, got 40'],
    [JSON.parse('[[50,5],[60,4]]'), 'must be at least 5, got 4'],
  ])('is refused with the distribution %j', (value, message) => {
    expect(() => withGets(value)).toThrow(message);
  });
});
