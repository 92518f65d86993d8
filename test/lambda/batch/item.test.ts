/** What items are called, which of them are folders, and what is refused. */
import type { PackSource } from '../../../contract/batch-pack';
import { isFolder, itemName, readItem } from '../../../lambda/batch/item';

function source(kind: PackSource['kind'], changes: Partial<PackSource> = {}): PackSource {
  return { kind, bucket: 'pipeline', itemsBucket: 'pipeline', ...changes };
}

const CSV = source('csv', { column: 'key' });

describe('the name of an item', () => {
  it.each<[PackSource, unknown, string]>([
    [source('objects'), { Key: 'inputs/a b+c%20' }, 'inputs/a b+c%20'],
    [source('inventory'), { Key: 'inputs/a+b%2Bc%C3%BC' }, 'inputs/a b+cü'],
    [source('inventory'), { Key: 'inputs/100%' }, 'inputs/100%'],
    [source('jsonLines'), { id: 'the id' }, 'the id'],
    [source('parquet'), { id: 'the id', x: [1] }, 'the id'],
    [CSV, { key: 'inputs/a', id: 'x' }, 'inputs/a'],
    [CSV, { '\ufeffkey': 'inputs/a' }, 'inputs/a'],
    [CSV, { id: 'x' }, '#7'],
    [CSV, { key: '' }, '#7'],
    [source('jsonLines'), { id: 0 }, '0'],
    [source('jsonLines'), { id: 1.5 }, '#7'],
    [source('jsonLines'), { id: 2 ** 60 }, '#7'],
    [source('jsonLines'), { id: '' }, '#7'],
    [source('jsonLines'), { Key: 'inputs/a', id: 'the id' }, 'the id'],
    [source('jsonLines'), { Key: 'inputs/a' }, '#7'],
    [source('parquet'), { Key: 'C major', id: 3 }, '3'],
    [source('objects'), { Key: 'inputs/a', id: 'x' }, 'inputs/a'],
    [source('jsonLines'), {}, '#7'],
    [source('jsonLines'), null, '#7'],
    [source('jsonLines'), ['a'], '#7'],
    [source('objects'), 'text', '#7'],
  ])('of %j in %j is %j', (from, value, name) => {
    expect(itemName(from, { index: 7, value })).toBe(name);
  });
});

describe('a folder', () => {
  it.each<[PackSource, unknown, boolean]>([
    [source('objects'), { Key: 'inputs/', Size: 0 }, true],
    [source('objects'), { Key: 'inputs/', Size: 1 }, false],
    [source('objects'), { Key: 'inputs/a', Size: 0 }, false],
    [source('objects'), { Key: 'inputs/a%2F', Size: 0 }, false],
    [source('inventory'), { Key: 'inputs%2F', Size: '0' }, true],
    [source('inventory'), { Key: 'inputs/', Size: '0' }, true],
    [source('inventory'), { Key: 'inputs/', Size: '12' }, false],
    [source('inventory'), { Key: 'inputs/' }, false],
    [source('jsonLines'), { Key: 'inputs/', Size: 0 }, false],
    [source('objects'), { Size: 0 }, false],
    [source('objects'), null, false],
  ])('of %j may be %j: %s', (from, value, expected) => {
    expect(isFolder(from, { index: 0, value })).toBe(expected);
  });
});

describe('an item', () => {
  it('stands for a request below inputs/', () => {
    const key = 'inputs/a';
    const request = { version: 1, inputs: { s3: key } };
    const listed = { index: 0, value: { Key: key, Etag: '"1"' } };
    expect(readItem(source('objects'), listed)).toEqual({ request, objects: [{ key, etag: '"1"' }] });
    const inCsv = { index: 0, value: { '\ufeffkey': key } };
    expect(readItem(CSV, inCsv)).toEqual({ request, objects: [{ key }] });
    for (const id of ['a', 7]) {
      const inLine = { index: 0, value: { id, inputs: { s3: key } } };
      expect(readItem(source('jsonLines'), inLine)).toEqual({ request, objects: [{ key }] });
    }
  });

  it('of another bucket, or where functions may not read, is known by what the inventory says if there is a preprocess function', () => {
    const from = source('inventory', { itemsBucket: 'inventories', hasPreprocess: true });
    const value = { Bucket: 'scans', Key: 'a+b', ETag: '1' };
    expect(readItem(from, { index: 0, value, request: 7 })).toEqual({
      request: 7,
      objects: [],
      content: { bucket: 'scans', key: 'a b', etag: '1' },
    });
    expect(readItem(from, { index: 0, value: { ...value, Bucket: 'pipeline' } })).toMatchObject({
      objects: [],
      content: { bucket: 'pipeline', key: 'a b', etag: '1' },
    });
    const request = { ...value, Bucket: 'pipeline', Key: 'inputs/a+b' };
    expect(readItem(from, { index: 0, value: request })).toEqual({ objects: [{ key: 'inputs/a b' }] });
  });

  it.each<[string, PackSource, unknown, string]>([
    [
      'a list',
      source('jsonLines'),
      [1, 2],
      'an item of jsonLines must be a JSON object, got a list of length 2',
    ],
    ['null', source('parquet'), null, 'an item of parquet must be a JSON object, got null'],
    ['no key', source('objects'), { Size: 1 }, 'an item must have a Key, got nothing'],
    [
      'an object elsewhere',
      source('objects'),
      { Key: 'elsewhere/a' },
      "a request must be below 'inputs/' in the pipeline's bucket, got 'elsewhere/a': copy it, or set a preprocess function",
    ],
    [
      'an object in another bucket',
      source('objects', { itemsBucket: 'other' }),
      { Key: 'inputs/a' },
      "an item of objects must be in the pipeline's bucket, got one in another bucket: copy it, or set a preprocess function",
    ],
    [
      'a row without the column',
      CSV,
      { Key: 'inputs/a', note: 'x' },
      "the column 'key' must hold the key of a request, got nothing: the row has 'Key', 'note'",
    ],
    [
      'an id that is no name',
      source('jsonLines'),
      { id: 1.5 },
      "'id' must be a string or a whole number, got a number: write it as a string",
    ],
    [
      'a wish for the output',
      source('jsonLines'),
      { inputs: {}, output: { inline: 'only' } },
      "an item must have no 'output': the batch decides where results are",
    ],
  ])('is refused with %s', (_, from, value, message) => {
    expect(() => readItem(from, { index: 0, value })).toThrow(
      expect.objectContaining({ name: 'InvalidInput', message }) as Error,
    );
  });
});
