/** Digests of items depend on their names and contents; the names of results depend on these digests. */
import type { PackItem, PackSource } from '../../../contract/batch-pack';
import {
  digestOf,
  identifiedItem,
  parseResultName,
  preprocessedItem,
  resultName,
  saltOf,
} from '../../../lambda/batch/item-digest';
import { ObjectUnavailable } from '../../../lambda/store/object-store';
import { digest } from '../../support/batch-context';
import { MemoryObjects } from '../../support/memory-objects';
import { inline } from '../../support/slice-handler';

const BUCKET = 'pipeline';
const KEY = 'inputs/a';

function source(changes: Partial<PackSource> = {}): PackSource {
  return { kind: 'objects', bucket: BUCKET, itemsBucket: BUCKET, ...changes };
}

const LINES = source({ kind: 'jsonLines' });
const ROWS = source({ kind: 'csv', column: 'key' });
const INVENTORY = source({ kind: 'inventory' });
const PREPROCESSED = source({ kind: 'csv', column: 'key', hasPreprocess: true });

const item = (value: unknown, index = 0): PackItem => ({ index, value });

/** A bucket that has `inputs/a` in its first version. */
function bucketWithKey(): MemoryObjects {
  const objects = new MemoryObjects();
  objects.put(KEY, Buffer.from('content'));
  return objects;
}

async function identified(from: PackSource, value: unknown, objects = bucketWithKey()) {
  return await identifiedItem(from, item(value), objects);
}

async function digestIn(from: PackSource, value: unknown, objects?: MemoryObjects): Promise<string> {
  return (await identified(from, value, objects)).digest;
}

describe('the digest of an object', () => {
  it('has 32 hexadecimal digits, and depends on the key and the ETag that the list says', async () => {
    const objects = new MemoryObjects();
    const of = (Key: string, Etag: string) => digestIn(source(), { Key, Etag, Size: 7 }, objects);
    const digests = await Promise.all([of('inputs/a', '"1"'), of('inputs/a', '"2"'), of('inputs/b', '"1"')]);
    expect(new Set(digests).size).toBe(3);
    expect(digests.filter((own) => /^[0-9a-f]{32}$/.test(own))).toHaveLength(3);
    expect(objects.reads).toEqual([]);
  });

  it('is the same whatever else the list says, with quotation marks or without, and at any place', async () => {
    const quoted = await digestIn(source(), { Key: KEY, Etag: '"1"', Size: 7, LastModified: 1 });
    expect(await digestIn(source(), { Key: KEY, ETag: '1', StorageClass: 'STANDARD' })).toBe(quoted);
    const later = item({ Key: KEY, Etag: '"1"' }, 99);
    expect((await identifiedItem(source(), later, new MemoryObjects())).digest).toBe(quoted);
  });

  it('makes the request ask for the ETag, in quotation marks', async () => {
    const expected = { kind: 'object', key: KEY, etag: '"abc-2"' };
    expect((await identified(source(), { Key: KEY, Etag: 'abc-2' })).input?.tensors).toEqual(expected);
    expect((await identified(source(), { Key: KEY, Etag: '"abc-2"' })).input?.tensors).toEqual(expected);
  });

  it('is read from S3 if the list says no ETag', async () => {
    const objects = bucketWithKey();
    const first = await identified(source(), { Key: KEY }, objects);
    expect(first.input?.tensors).toEqual({ kind: 'object', key: KEY, etag: '"1"' });
    expect(objects.openBodies).toBe(0);
    expect(first.digest).toBe(await digestIn(source(), { Key: KEY, Etag: '"1"' }));
  });
});

describe('the digest of a row that names an object', () => {
  const named: [what: string, from: PackSource, value: object][] = [
    ['an inventory', INVENTORY, { Bucket: BUCKET, Key: KEY, ETag: 'old' }],
    ['CSV', ROWS, { key: KEY }],
    ['JSON Lines', LINES, { id: 'x', inputs: { s3: KEY } }],
  ];

  it.each(named)('of %s depends on the ETag that the object has now', async (_, from, value) => {
    const objects = bucketWithKey();
    const before = await identified(from, value, objects);
    expect(before.input?.tensors).toEqual({ kind: 'object', key: KEY, etag: '"1"' });
    objects.put(KEY, Buffer.from('changed'));
    const after = await identified(from, value, objects);
    expect(after.input?.tensors).toEqual({ kind: 'object', key: KEY, etag: '"2"' });
    expect(after.digest).not.toBe(before.digest);
  });

  it('of a preprocess function counts also if there is no such object, because the field may be no key', async () => {
    const missing = await identified(PREPROCESSED, { key: 'inputs/none', note: 1 });
    const objects = bucketWithKey();
    objects.put('inputs/none', Buffer.from('content'));
    expect((await identified(PREPROCESSED, { key: 'inputs/none', note: 1 }, objects)).digest).not.toBe(
      missing.digest,
    );
  });

  it('of a preprocess function is not asked for if its field cannot be a key', async () => {
    const objects = bucketWithKey();
    await identified(PREPROCESSED, { key: `inputs/${'x'.repeat(1018)}` }, objects);
    for (const key of ['inputs/', 'inputs/../runs/a', 'inputs/./a', 'inputs/\ud800'])
      await identified(PREPROCESSED, { key }, objects);
    expect(objects.reads).toEqual([]);
    await identified(PREPROCESSED, { key: `inputs/${'x'.repeat(1017)}` }, objects);
    expect(objects.reads).toHaveLength(1);
  });

  it.each(named)('of %s fails alone if the object is missing', async (_, from, value) => {
    await expect(digestIn(from, value, new MemoryObjects())).rejects.toMatchObject({
      name: 'InvalidInput',
      message: "the request's object is missing or not permitted: check the item's key",
    });
  });

  it.each(named)('of %s fails with all others if S3 fails', async (_, from, value) => {
    const objects = bucketWithKey();
    objects.failure = () => new Error('S3 is away');
    await expect(digestIn(from, value, objects)).rejects.toThrow('S3 is away');
  });

  it.each(named)('of %s fails alone if the object is empty, which has no ETag in S3', async (...row) => {
    const objects = new MemoryObjects();
    objects.put(KEY, new Uint8Array(0));
    await expect(digestIn(row[1], row[2], objects)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: "the request's object is empty: write a safetensors file",
    });
  });

  it('takes the ETag that a line names, with quotation marks or without', async () => {
    const objects = new MemoryObjects();
    const of = (etag: string) => identified(LINES, { inputs: { s3: KEY, etag } }, objects);
    const plain = await of('abc');
    expect(plain.input?.tensors).toEqual({ kind: 'object', key: KEY, etag: '"abc"' });
    expect((await of('"abc"')).digest).toBe(plain.digest);
    expect((await of('abd')).digest).not.toBe(plain.digest);
    expect(objects.reads).toEqual([]);
  });

  it('is the same with a byte order mark before the first column, and whatever other columns hold', async () => {
    const plain = await digestIn(ROWS, { key: KEY });
    expect(await digestIn(ROWS, { '\ufeffkey': KEY })).toBe(plain);
    expect(await digestIn(ROWS, { note: 'x', key: KEY })).toBe(plain);
  });
});

describe('the digest of a line with tensors', () => {
  const tensors = { x: inline([1, 2, 3]), scale: inline([2, 2, 2]) };

  it('depends on the id and on the tensors, but not on the order of fields', async () => {
    const before = await digestIn(LINES, { id: 'a', inputs: { tensors } });
    const { x, scale } = tensors;
    const turned = { inputs: { tensors: { scale, x } }, id: 'a' };
    expect(await digestIn(LINES, turned)).toBe(before);
    expect(await digestIn(LINES, { id: 'b', inputs: { tensors } })).not.toBe(before);
    const changed = { id: 'a', inputs: { tensors: { x, scale: inline([2, 2, 3]) } } };
    expect(await digestIn(LINES, changed)).not.toBe(before);
    const exchanged = { id: 'a', inputs: { tensors: { x: scale, scale: x } } };
    expect(await digestIn(LINES, exchanged)).not.toBe(before);
  });

  it('depends on the place of a line without an id', async () => {
    const of = async (index: number) =>
      (await identifiedItem(LINES, item({ inputs: { tensors } }, index), new MemoryObjects())).digest;
    expect(await of(0)).not.toBe(await of(1));
  });
});

describe('the digest of a row of Parquet', () => {
  const PARQUET = source({ kind: 'parquet' });

  it('depends on all columns, and leaves the tensors to the model', async () => {
    const before = await identified(PARQUET, { id: 'a', x: [1, 2], note: 'n' });
    expect(before.input).toBeUndefined();
    expect(await digestIn(PARQUET, { note: 'n', x: [1, 2], id: 'a' })).toBe(before.digest);
    for (const changed of [
      { id: 'a', x: [2, 1], note: 'n' },
      { id: 'a', x: [1, 2], note: 'm' },
      { id: 'b', x: [1, 2], note: 'n' },
    ])
      expect(await digestIn(PARQUET, changed)).not.toBe(before.digest);
  });
});

describe('the digest of an item of deep JSON', () => {
  const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

  it.each<[string, PackSource]>([
    ['JSON Lines', source({ kind: 'jsonLines', hasPreprocess: true })],
    ['Parquet', source({ kind: 'parquet' })],
  ])('is there for up to 100 levels of %s; another item fails alone', async (_, from) => {
    expect(await digestIn(from, { x: deep(100) })).toMatch(/^[0-9a-f]{32}$/);
    for (const levels of [101, 5_000, 75_000]) {
      await expect(digestIn(from, { x: deep(levels) })).rejects.toMatchObject({
        name: 'InvalidInput',
        message: 'an item must be JSON of at most 100 levels, got more: flatten it',
      });
    }
  });

  it('of a line that is a request fails alone too', async () => {
    const x = { dtype: 'float32', shape: [1], data: deep(5_000) };
    await expect(digestIn(LINES, { inputs: { tensors: { x } } })).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });
});

describe('the digest of an item with a preprocess function', () => {
  it('depends on all columns, and on objects of the bucket that they name', async () => {
    const objects = bucketWithKey();
    const row = { key: KEY, note: 'a' };
    const before = await digestIn(PREPROCESSED, row, objects);
    expect(await digestIn(PREPROCESSED, { key: KEY, note: 'b' }, objects)).not.toBe(before);
    objects.put(KEY, Buffer.from('changed'));
    const after = await digestIn(PREPROCESSED, row, objects);
    expect(after).not.toBe(before);
    expect(await digestIn(PREPROCESSED, { key: `s3://${BUCKET}/${KEY}`, note: 'a' }, objects)).not.toBe(
      after,
    );
    objects.put(KEY, Buffer.from('changed again'));
    expect(await digestIn(PREPROCESSED, row, objects)).not.toBe(after);
  });

  it('also follows an object that a column names by its URI', async () => {
    const objects = bucketWithKey();
    const row = { picture: `s3://${BUCKET}/${KEY}` };
    const from = source({ kind: 'jsonLines', hasPreprocess: true });
    const before = await digestIn(from, row, objects);
    objects.put(KEY, Buffer.from('changed'));
    expect(await digestIn(from, row, objects)).not.toBe(before);
  });

  it('follows objects that lists and objects inside a line name', async () => {
    const from = source({ kind: 'jsonLines', hasPreprocess: true });
    for (const row of [{ pages: [KEY] }, { scan: { pages: [{ at: `s3://${BUCKET}/${KEY}` }] } }]) {
      const objects = bucketWithKey();
      const before = await digestIn(from, row, objects);
      objects.put(KEY, Buffer.from('changed'));
      expect(await digestIn(from, row, objects)).not.toBe(before);
    }
  });

  it('follows the first 32 objects, the outer ones first, and asks for each once', async () => {
    const objects = bucketWithKey();
    const pages = Array.from({ length: 40 }, (_, page) => `inputs/${page}`);
    const row = { deeper: { pages: [...pages, ...pages] }, first: [KEY, KEY], outer: 'inputs/outer' };
    await digestIn(source({ kind: 'jsonLines', hasPreprocess: true }), row, objects);
    expect(objects.reads.map(({ key }) => key)).toEqual(['inputs/outer', KEY, ...pages.slice(0, 30)]);
  });

  it('ignores texts that name nothing below inputs/ of the bucket', async () => {
    const objects = new MemoryObjects();
    const from = source({ kind: 'jsonLines', hasPreprocess: true });
    await digestIn(from, { a: 'elsewhere/a', b: 's3://other/inputs/a', c: 7, d: null }, objects);
    expect(objects.reads).toEqual([]);
  });

  it('is the same before and after the function has made the request, which may be in S3', async () => {
    const objects = new MemoryObjects();
    const from = source({ hasPreprocess: true });
    const value = { Key: 'inputs/raw', Etag: '"1"' };
    const before = await identifiedItem(from, { index: 0, value }, objects);
    const request = { version: 1, inputs: { s3: 'inputs/made-by-the-function' } };
    const after = await identifiedItem(from, { index: 0, value, request }, objects);
    expect(after.digest).toBe(before.digest);
    expect(before.input).toBeUndefined();
    expect(after.input?.tensors).toEqual({ kind: 'object', key: 'inputs/made-by-the-function' });
  });

  it('depends on the bucket, the key and the ETag of an object in another bucket', async () => {
    const from = source({ itemsBucket: 'scans', hasPreprocess: true });
    const all = [
      await digestIn(from, { Key: 'a', Etag: '"1"' }),
      await digestIn(from, { Key: 'a', Etag: '"2"' }),
      await digestIn(from, { Key: 'b', Etag: '"1"' }),
      await digestIn({ ...from, itemsBucket: 'others' }, { Key: 'a', Etag: '"1"' }),
    ];
    expect(new Set(all).size).toBe(4);
  });

  it('depends on all columns of an inventory of another bucket that has no ETags', async () => {
    const from = source({ kind: 'inventory', hasPreprocess: true });
    const row = { Bucket: 'scans', Key: 'a', Size: '7', LastModifiedDate: '2026-11-01', VersionId: 'v1' };
    const before = await digestIn(from, row);
    for (const changed of [{ Size: '8' }, { LastModifiedDate: '2026-11-02' }, { VersionId: 'v2' }]) {
      expect(await digestIn(from, { ...row, ...changed })).not.toBe(before);
      expect(await digestIn(from, { ...row, ETag: '' })).toBe(before);
    }
    const known = await digestIn(from, { ...row, ETag: '1' });
    expect(await digestIn(from, { ...row, ETag: '1', VersionId: 'v2' })).toBe(known);
  });
});

describe('an item that a preprocess function has read', () => {
  const LISTED = source({ hasPreprocess: true });
  const request = { version: 1, inputs: { tensors: { x: inline([1, 2, 3]) } } };
  const replaced = {
    name: 'InvalidInput',
    message: expect.stringMatching(
      /^an object of the item was replaced or deleted during|^the item's object s3:.*(replaced: write each|missing or not)/,
    ) as string,
  };
  const cases: [what: string, from: PackSource, value: object][] = [
    ['a list of objects', LISTED, { Key: KEY, Etag: '"1"' }],
    ['an inventory', { ...INVENTORY, hasPreprocess: true }, { Bucket: BUCKET, Key: KEY, ETag: 'old' }],
    ['CSV', PREPROCESSED, { key: KEY }],
    ['JSON Lines', source({ kind: 'jsonLines', hasPreprocess: true }), { pages: [`s3://${BUCKET}/${KEY}`] }],
  ];

  it.each(cases)('of %s must not have changed since its digest was made', async (_, from, value) => {
    const objects = bucketWithKey();
    const { digest: before } = await identified(from, value, objects);
    const own: PackItem = { ...item(value), request, ...(from !== LISTED && { digest: before }) };
    const { digest: after, input } = await preprocessedItem(from, own, objects);
    expect([after, input?.tensors.kind]).toEqual([before, 'inline']);
    objects.put(KEY, Buffer.from('another'));
    await expect(preprocessedItem(from, own, objects)).rejects.toMatchObject(replaced);
    await expect(preprocessedItem(from, own, new MemoryObjects())).rejects.toMatchObject(replaced);
  });

  it('may be empty, as its list says, and stays so', async () => {
    const objects = new MemoryObjects();
    objects.put(KEY, new Uint8Array(0));
    const own = { ...item({ Key: KEY, Etag: '"1"', Size: 0 }), request };
    expect((await preprocessedItem(LISTED, own, objects)).input?.tensors.kind).toBe('inline');
    objects.put(KEY, Buffer.from('no longer'));
    await expect(preprocessedItem(LISTED, own, objects)).rejects.toMatchObject(replaced);
  });

  it('may name the object that its function has written as the request', async () => {
    const objects = bucketWithKey();
    const value = { key: KEY, target: 'inputs/made' };
    const { digest: before } = await identified(PREPROCESSED, value, objects);
    objects.put('inputs/made', Buffer.from('a request'));
    const written = { version: 1, inputs: { s3: 'inputs/made' } };
    const { digest: after, input } = await preprocessedItem(
      PREPROCESSED,
      { ...item(value), request: written, digest: before },
      objects,
    );
    // It has the ETag of what is read, and no rerun finds a result of this digest.
    expect(input?.tensors).toEqual({ kind: 'object', key: 'inputs/made', etag: '"1"' });
    expect([before, await digestIn(PREPROCESSED, value, objects)]).not.toContain(after);
  });

  it.each<[string, PackSource, object]>([
    ['listed', LISTED, { Key: KEY, Etag: '"1"' }],
    ['in a row', PREPROCESSED, { key: KEY }],
  ])('%s that is the request itself must still be the one that was identified', async (_, from, value) => {
    const objects = bucketWithKey();
    const { digest: before } = await identified(from, value, objects);
    const own = { ...item(value), digest: before, request: { version: 1, inputs: { s3: KEY } } };
    const same = await preprocessedItem(from, own, objects);
    expect([same.digest, same.input?.tensors]).toEqual([before, { kind: 'object', key: KEY, etag: '"1"' }]);
    objects.put(KEY, Buffer.from('another'));
    const digest = preprocessedItem(from, own, objects).then((after) => after.digest);
    if (from === LISTED) await expect(digest).rejects.toMatchObject(replaced);
    else expect(await digest).not.toBe(before);
  });

  it('fails if the function of the slice may not see whether it is the one that was listed', async () => {
    const objects = bucketWithKey();
    objects.failure = (key) => new ObjectUnavailable({ bucket: BUCKET, key }, 'cannot be decrypted: E: why');
    const own = { ...item({ Key: KEY, Etag: '"1"' }), request };
    await expect(preprocessedItem(LISTED, own, objects)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: `the item's object s3://${BUCKET}/${KEY} cannot be decrypted: E: why`,
    });
    objects.failure = () => new Error('S3 is away');
    await expect(preprocessedItem(LISTED, own, objects)).rejects.toThrow('S3 is away');
  });

  it('counts by the list if the function of the slice may not read it', async () => {
    const elsewhere = { ...LISTED, itemsBucket: 'scans' };
    const objects = new MemoryObjects();
    for (const [from, Key] of [
      [LISTED, 'scans/a'],
      [elsewhere, KEY],
    ] as const) {
      const own = item({ Key, Etag: '"1"' });
      const { digest: before } = await identifiedItem(from, own, objects);
      expect((await preprocessedItem(from, { ...own, request }, objects)).digest).toBe(before);
    }
    expect(objects.reads).toEqual([]);
  });
});

describe('the name of a result', () => {
  const [a, b, c] = [1, 2, 3].map((of) => digest(of));

  it('of one item has the digest of the item', () => {
    expect(resultName([a], '', 'safetensors')).toBe(`1-${a}.safetensors`);
  });

  it('of several items has their number, and depends on each of them and on their order', () => {
    const names = [[a, b], [b, a], [a, c], [a, b, c], [a]].map((own) => resultName(own, '', 'jsonl'));
    expect(names.map((name) => parseResultName(name)?.items)).toEqual([2, 2, 2, 3, 1]);
    expect(new Set(names).size).toBe(5);
  });

  it('with a salt is another one, of the same item', () => {
    const salt = saltOf('night');
    expect(salt).toMatch(/^[0-9a-f]{8}$/);
    expect(saltOf('day')).not.toBe(salt);
    const name = resultName([a], salt, 'safetensors');
    expect(name).toBe(`1-${a}-${salt}.safetensors`);
    expect(parseResultName(name)).toEqual({ items: 1, digest: a });
  });

  it.each([
    '',
    `1-${a}`,
    `1-${a}.json`,
    `1-${a.slice(1)}.jsonl`,
    `1-${a}0.jsonl`,
    `-${a}.jsonl`,
    `one-${a}.jsonl`,
    `1-${a}-0123456.jsonl`,
    `1-${a}-012345678.jsonl`,
    `1-${a.toUpperCase().replace('0', 'A')}.jsonl`,
    `folder/1-${a}.jsonl`,
    `1-${a}.jsonl.gz`,
    `1-${a}.jsonl\n`,
  ])('is not %j', (name) => {
    expect(parseResultName(name)).toBeUndefined();
  });

  it('fits into a key whatever the items are called', async () => {
    const longest = `inputs/${'n'.repeat(1024 - 'inputs/'.length)}`;
    const own = await digestIn(source(), { Key: longest, Etag: '"1"' });
    const prefix = `outputs/${'b'.repeat(80)}/${digestOf('deployment').slice(0, 12)}/`;
    const name = resultName(Array<string>(500).fill(own), saltOf('night'), 'safetensors');
    expect(Buffer.byteLength(prefix + name)).toBeLessThanOrEqual(1024);
    expect(parseResultName(name)?.items).toBe(500);
    await expect(digestIn(source(), { Key: `${longest}n`, Etag: '"1"' })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('at most 1024 bytes') as string,
    });
  });
});
