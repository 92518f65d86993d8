/** The files whose entries are the items of a distributed Map: JSON arrays, Parquet, and all files below a prefix. */
import * as fs from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Json } from '../../../local/json';
import { arrayElements } from '../../../local/step-functions/distributed/json-array';
import { parquetRows } from '../../../local/step-functions/distributed/parquet';
import { run } from '../../support/machine-fixture';
import { bucketOf, distributedMap, type Files } from '../../support/map-run-fixture';
import { column, parquetOf, withFooter } from '../../support/parquet';

const ItemSelector = {
  value: '{% $states.context.Map.Item.Value %}',
  of: '{% $states.context.Map.Item.Source & " " & $string($states.context.Map.Item.Index) %}',
};

/** Reads the items one after the other. */
async function read(location: string, files: Files, fields = {}) {
  const { storage, temporary } = await bucketOf(files);
  const result = await run(distributedMap(location, { MaxConcurrency: 1, ...fields }), { storage });
  expect(fs.readdirSync(temporary)).toEqual([]);
  return result;
}

async function expectItems(location: string, files: Files, items: readonly Json[]): Promise<void> {
  const { status, payloads, ...result } = await read(location, files);
  expect([status, payloads, result]).toEqual(['SUCCEEDED', items, expect.anything()]);
}

async function expectFailure(location: string, files: Files, cause: string): Promise<void> {
  const result = await read(location, files);
  expect(result).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed', payloads: [] });
  expect(result).toHaveProperty('cause', expect.stringContaining(cause));
}

describe('a JSON array', () => {
  test.each<[string, string | Buffer, readonly Json[]]>([
    [
      'of values of all types',
      ' [1, "a]\\"," , {"b":[2,{}]}\n,null,[],true]\n',
      [1, 'a]",', { b: [2, {}] }, null, [], true],
    ],
    ['without elements', '[ ]', []],
    ['of text beyond ASCII', '["é","𝄞"]', ['é', '𝄞']],
  ])('%s is read element by element', async (_, content, items) => {
    await expectItems('i.json', { 'i.json': content }, items);
  });

  test('that is compressed is read', async () => {
    await expectItems('i.json.gz', { 'i.json.gz': gzipSync('[1,2]') }, [1, 2]);
  });

  test('is the same in chunks of any size', async () => {
    const chunked = fc.tuple(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 9 }));
    await fc.assert(
      fc.asyncProperty(chunked, async ([values, size]) => {
        const text = JSON.stringify(values, undefined, size % 3);
        async function* chunks(): AsyncGenerator<string> {
          for (let at = 0; at < text.length; at += size) yield Promise.resolve(text.slice(at, at + size));
        }
        const found: Json[] = [];
        for await (const value of arrayElements(chunks())) found.push(value);
        expect(found).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each<[string, string, string]>([
    ['an object', '{"a":[1]}', "must hold one JSON array, got text that begins with '{': put the items"],
    ['a byte order mark', '\ufeff[1]', "got text that begins with '\ufeff'"],
    ['a second array', '[1]\n[2]', "got '[' behind the array"],
    ['no end', '[1,{"a":2', 'the array must end with ], got an end in element 1: upload the whole file'],
    ['nothing', '', 'the array must end with ], got an end in element 0'],
    ['a comma too many', '[1,]', 'element 1 is not JSON'],
    ['other brackets', '[1},2]', 'element 0 is not JSON'],
    ['words', '[1,undefined]', 'element 1 is not JSON'],
    ['a long element', `["${'x'.repeat(300_000)}"]`, 'element 0 must have at most 262144 characters'],
  ])('cannot be read if the object has %s', async (_, content, cause) => {
    await expectFailure('i.json', { 'i.json': content }, cause);
  });
});

/** Zstandard without compression: https://www.rfc-editor.org/rfc/rfc8878 */
function zstandard(bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(0xfd2fb528);
  header.writeUInt8(0xa0, 4);
  header.writeUInt32LE(bytes.length, 5);
  header.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([header, bytes]);
}

describe('a Parquet file', () => {
  const ids = [7, 8, 9];
  const rows = ids.map((id) => ({ id, text: `t${id}` }));
  const columns = [column('id', ids), column('text', ['t7', 't8', 't9'])];

  test('is read row by row, through all row groups', async () => {
    await expectItems('i.parquet', { 'i.parquet': await parquetOf(columns, { rowGroupSize: 2 }) }, rows);
  });

  test('is read to its end if a row group has more rows than are decoded at once', async () => {
    const many = Array.from({ length: 25_001 }, (_, at) => at);
    const file = await parquetOf([column('at', many)], { rowGroupSize: many.length });
    const { storage, temporary } = await bucketOf({ 'i.parquet': file });
    fs.mkdirSync(temporary);
    const found: Json[] = [];
    for await (const row of parquetRows(storage, 'b', 'i.parquet')) found.push(row);
    expect(found).toEqual(many.map((at) => ({ at })));
  });

  test('without rows has no items', async () => {
    await expectItems('i.parquet', { 'i.parquet': await parquetOf([column('id', [], 'INT32')]) }, []);
  });

  test.each<[string, Parameters<typeof parquetOf>[1]]>([
    ['without compression', { codec: 'UNCOMPRESSED' }],
    ['with Snappy', { codec: 'SNAPPY' }],
    ['with GZIP', { codec: 'GZIP', compressors: { GZIP: (bytes) => new Uint8Array(gzipSync(bytes)) } }],
    ['with Zstandard', { codec: 'ZSTD', compressors: { ZSTD: zstandard } }],
  ])('%s is read', async (_, options) => {
    await expectItems('i.parquet', { 'i.parquet': await parquetOf(columns, options) }, rows);
  });

  test('of values that JSON has no type for is read as believed of AWS', async () => {
    const day = new Date('2026-01-02T03:04:05.678Z');
    const file = await parquetOf(
      [
        column('big', [2n ** 53n, null]),
        column('at', [day, null]),
        column('day', [day, null]),
        column('bytes', [Uint8Array.of(1, 255), null]),
        column('number', [Number.NaN, 0.5]),
        column('is', [true, null]),
        column('list', [[1, 2], []]),
        column('struct', [{ a: 'x' }, { a: null }]),
      ],
      {
        schema: [
          { name: 'root', num_children: 8 },
          { name: 'big', type: 'INT64', repetition_type: 'OPTIONAL' },
          { name: 'at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' },
          { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' },
          { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
          { name: 'number', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
          { name: 'is', type: 'BOOLEAN', repetition_type: 'OPTIONAL' },
          { name: 'list', converted_type: 'LIST', num_children: 1, repetition_type: 'OPTIONAL' },
          { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
          { name: 'element', type: 'INT32', repetition_type: 'OPTIONAL' },
          { name: 'struct', num_children: 1, repetition_type: 'OPTIONAL' },
          { name: 'a', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        ],
      },
    );
    const full = { big: 2 ** 53, at: day.toISOString(), day: '2026-01-02', bytes: 'Af8=', number: null };
    const empty = { big: null, at: null, day: null, bytes: null, number: 0.5, is: null, list: [] };
    await expectItems('i.parquet', { 'i.parquet': file }, [
      { ...full, is: true, list: [1, 2], struct: { a: 'x' } },
      { ...empty, struct: { a: null } },
    ]);
  });

  test.each<[string, (file: Buffer) => Buffer, string]>([
    [
      'is another format',
      () => Buffer.from('a,b\n1,2\n3,4\n5,6\n'),
      'must begin and end with PAR1, got another file',
    ],
    ['is empty', () => Buffer.alloc(0), 'must begin and end with PAR1'],
    ['has no more than its start', () => Buffer.from('PAR1'), 'must begin and end with PAR1'],
    ['has lost its end', (file) => file.subarray(0, -20), 'or a part of one: upload the whole file'],
    [
      'has lost its middle',
      (file) => Buffer.concat([file.subarray(0, 20), file.subarray(-8)]),
      'the Parquet file must be readable, got',
    ],
    ['is damaged', (file) => Buffer.from(file).fill(0xff, 4, 30), 'must be readable, got'],
  ])('cannot be read if it %s', async (_, change, cause) => {
    await expectFailure('i.parquet', { 'i.parquet': change(await parquetOf(columns)) }, cause);
  });

  test.each<[string, (metadata: Parameters<Parameters<typeof withFooter>[1]>[0]) => void, string]>([
    [
      'has too large a row group',
      ({ row_groups: [group] }) => (group.total_byte_size = 300_000_000n),
      'row group 0 must have at most 268435456 bytes, got 300000000: write smaller row groups',
    ],
    [
      'promises more rows than it has',
      ({ row_groups: [group] }) => (group.num_rows = 4n),
      'row 3 must have all values, got fewer',
    ],
  ])('cannot be read if it %s', async (_, change, cause) => {
    const file = await withFooter(await parquetOf(columns), change);
    await expectFailure('i.parquet', { 'i.parquet': file }, cause);
  });

  test('cannot be read if it has too large a footer', async () => {
    const kvMetadata = [{ key: 'note', value: 'x'.repeat(6_000_000) }];
    const file = await parquetOf(columns, { kvMetadata });
    await expectFailure('i.parquet', { 'i.parquet': file }, 'the footer must have at most 5242880 bytes');
  });

  test('cannot be read if AWS does not read its compression', async () => {
    const file = await parquetOf(columns, { codec: 'BROTLI', compressors: { BROTLI: (bytes) => bytes } });
    await expectFailure('i.parquet', { 'i.parquet': file }, 'unsupported compression codec: BROTLI');
  });
});

describe('the files below a prefix', () => {
  test('are flattened in the order of their keys, and each item names its file', async () => {
    const files = {
      'in.jsonl/b': '3\n',
      'in.jsonl/a/1': '1\n2\n',
      'in.jsonl/c.gz': gzipSync('4'),
      other: '5',
    };
    const { payloads } = await read('in.jsonl/', files, { ItemSelector });
    expect(payloads).toEqual([
      { value: 1, of: 'S3://b/in.jsonl/a/1 0' },
      { value: 2, of: 'S3://b/in.jsonl/a/1 1' },
      { value: 3, of: 'S3://b/in.jsonl/b 2' },
      { value: 4, of: 'S3://b/in.jsonl/c.gz 3' },
    ]);
  });

  test('of CSV have each a header of its own', async () => {
    const files = {
      'in.csv/1': 'key,a\nx,1\n',
      'in.csv/2': 'b,key\n2,y\n',
      'in.csv/3': '',
      'in.csv/4': 'key\n',
    };
    await expectItems('in.csv/', files, [
      { key: 'x', a: '1' },
      { b: '2', key: 'y' },
    ]);
  });

  test('of Parquet have all their rows, and a folder of the S3 console none', async () => {
    const [one, two] = await Promise.all([[1], [2, 3]].map((ids) => parquetOf([column('id', ids)])));
    const files = { 'in.parquet/': '', 'in.parquet/1': one, 'in.parquet/2': two };
    await expectItems('in.parquet/', files, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  test.each(['in.jsonl/', 'in.csv/', 'in.parquet/'])('may be none: %s', async (prefix) => {
    await expectItems(prefix, { other: '' }, []);
  });

  test.each<[string, string, Files, string]>([
    [
      'CSV among JSON Lines',
      'in.jsonl/',
      { 'in.jsonl/1': '1\n', 'in.jsonl/2': 'a,b\n' },
      'S3://b/in.jsonl/2: line 1 is not JSON',
    ],
    [
      'JSON Lines among CSV',
      'in.csv/',
      { 'in.csv/1': '{"a":1,"b":2}\n' },
      'S3://b/in.csv/1: line 1 has text beside a quoted field',
    ],
    [
      'CSV among Parquet',
      'in.parquet/',
      { 'in.parquet/1': 'a,b\n' },
      'S3://b/in.parquet/1: a Parquet file must begin',
    ],
  ])('fail all items if there is %s, and the message names the file', async (_, prefix, files, cause) => {
    await expectFailure(prefix, files, cause);
  });
});
