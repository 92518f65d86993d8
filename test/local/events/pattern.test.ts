import type { Json } from '../../../local/json';
import { parsePattern } from '../../../local/events/pattern';

const EVENT = {
  source: 'aws.s3',
  'detail-type': 'Object Created',
  resources: ['arn:aws:s3:::photos'],
  detail: {
    bucket: { name: 'photos' },
    object: { key: 'inputs/arrivals/a.png', size: 12 },
    reason: 'PutObject',
  },
};

function fits(pattern: Json, event: Json = EVENT): boolean {
  return parsePattern(pattern, 'a test')(event);
}

function keyFits(pattern: Json, key: string = EVENT.detail.object.key): boolean {
  return fits({ detail: { object: { key: [pattern] } } }, { detail: { object: { key } } });
}

test('a pattern matches if all of its fields do', () => {
  const detail = { bucket: { name: ['other', 'photos'] }, object: { key: [{ prefix: 'inputs/arrivals/' }] } };
  expect(fits({ source: ['aws.s3'], 'detail-type': ['Object Created'], detail })).toBe(true);
  expect(fits({ source: ['aws.s3'], 'detail-type': ['Object Deleted'], detail })).toBe(false);
  expect(fits({ detail: { bucket: { name: ['other'] } } })).toBe(false);
  expect(fits({ detail: { object: { size: [12] } } })).toBe(true);
  expect(fits({ account: ['111111111111'] })).toBe(false);
  expect(fits({ resources: [{ suffix: ':photos' }] })).toBe(true);
  expect(fits({ detail: { object: { key: [{ suffix: '.jpg' }, { suffix: '.png' }] } } })).toBe(true);
});

test.each<[Json, boolean]>([
  [{ prefix: 'inputs/' }, true],
  [{ prefix: 'outputs/' }, false],
  [{ suffix: '.png' }, true],
  [{ 'anything-but': 'inputs/arrivals/a.png' }, false],
  [{ 'anything-but': ['a', 'b'] }, true],
  [{ 'anything-but': { suffix: '.png' } }, false],
])('the key matches %j: %s', (pattern, expected) => {
  expect(keyFits(pattern)).toBe(expected);
});

test.each<[Json, string]>([
  [{ source: 'aws.s3' }, 'the pattern "aws.s3"'],
  [{ detail: { object: { size: [{ numeric: ['>', 1] }] } } }, 'the comparison {"numeric":[">",1]}'],
  [{ detail: { object: { key: [{ wildcard: 'a*' }] } } }, 'the comparison {"wildcard":"a*"}'],
  [
    { detail: { object: { key: [{ prefix: 'a', suffix: 'b' }] } } },
    'the comparison {"prefix":"a","suffix":"b"}',
  ],
  [null, 'the pattern null'],
])('%j is refused by name', (pattern, what) => {
  expect(() => parsePattern(pattern, 'a test')).toThrow(`the local cloud does not support ${what}`);
});
