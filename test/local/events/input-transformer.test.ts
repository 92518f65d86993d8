import * as fc from 'fast-check';
import type { JsonObject } from '../../../local/json';
import { parseTransformer, transform } from '../../../local/events/input-transformer';

const EVENT: JsonObject = {
  id: 'event-1',
  resources: ['arn:aws:s3:::photos'],
  detail: { bucket: { name: 'photos' }, object: { key: 'a "b".png', size: 12 } },
};
const PATHS = {
  key: '$.detail.object.key',
  bucket: '$.detail.bucket.name',
  size: '$.detail.object.size',
  resource: '$.resources[0]',
  object: '$.detail.object',
  missing: '$.detail.version-id',
};

function transformed(template: string, event = EVENT): unknown {
  const transformer = parseTransformer({ InputPathsMap: PATHS, InputTemplate: template }, 'a test');
  return JSON.parse(transform(transformer, event));
}

test('a variable is JSON outside of quotes and text within them', () => {
  expect(
    transformed(
      '{"inputs":{"s3":<key>},"size":<size>,"text":"of <size> in <bucket>: <key>","all":<object>,"r":"<resource>"}',
    ),
  ).toEqual({
    inputs: { s3: 'a "b".png' },
    size: 12,
    text: 'of 12 in photos: a "b".png',
    all: { key: 'a "b".png', size: 12 },
    r: 'arn:aws:s3:::photos',
  });
  expect(transformed('"<key> is \\"new\\" in <bucket>"')).toBe('a "b".png is "new" in photos');
  expect(transformed('<key>')).toBe('a "b".png');
});

test('each key of an object arrives as it is', () => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      const event = { ...EVENT, detail: { object: { key } } };
      expect(transformed('{"inputs":{"s3":<key>},"text":"<key>!"}', event)).toEqual({
        inputs: { s3: key },
        text: `${key}!`,
      });
    }),
  );
});

test('a variable without a value disappears', () => {
  expect(transformed('{"text":"version <missing>"}')).toEqual({ text: 'version ' });
});

test.each([
  [{ InputTemplate: '{"a":<b>}' }, 'the unknown variable <b>'],
  [{ InputTemplate: '<aws.events.event.json>' }, 'the unknown variable <aws.events.event.json>'],
  [{ InputPathsMap: {} }, 'which has no template'],
  ...['detail', '$..key', '$.a[*]', "$['a']", 1].map((path): [JsonObject, string] => [
    { InputPathsMap: { a: path }, InputTemplate: '<a>' },
    `the path ${JSON.stringify(path)} in a test`,
  ]),
])('%j is refused', (transformer, message) => {
  expect(() => parseTransformer(transformer, 'a test')).toThrow(message);
});
