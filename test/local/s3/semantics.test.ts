/** What S3 does with objects and buckets, seen by the unmodified SDK over TLS. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import {
  type ChecksumAlgorithm,
  type GetObjectCommandInput,
  paginateListObjectsV2,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { BUCKET, clientFor, s3Fixture } from '../../support/s3-fixture';

/** Algorithms that the SDK computes without further packages. */
const COMPUTED = ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const satisfies ChecksumAlgorithm[];

function md5(bytes: string | Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

const fixture = s3Fixture({ protocol: 'https' });
const { client: s3 } = fixture;

function put(Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) {
  return s3.putObject({ Bucket: BUCKET, Key, Body, ...more });
}

function get(Key: string, more: Partial<GetObjectCommandInput> = {}) {
  return s3.getObject({ Bucket: BUCKET, Key, ...more });
}

function head(Key: string, more: Partial<GetObjectCommandInput> = {}) {
  return s3.headObject({ Bucket: BUCKET, Key, ...more });
}

async function textOf(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string> {
  return (await (await get(Key, more)).Body?.transformToString()) ?? '';
}

function refused(work: Promise<unknown>, name: string, status: number): Promise<void> {
  return expect(work).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
}

describe('objects', () => {
  it('are read as they were written, with their metadata', async () => {
    const metadata = {
      ContentType: 'application/x-tensor',
      CacheControl: 'max-age=60',
      ContentEncoding: 'gzip',
      Metadata: { run: '7', 'two-words': 'a  b' },
    };
    const before = Math.floor(Date.now() / 1000) * 1000;
    await put('plain', 'content', metadata);
    const { Body, ...answer } = await get('plain');
    expect(await Body?.transformToString()).toBe('content');
    const ETag = `"${md5('content')}"`;
    expect(answer).toMatchObject({ ...metadata, ContentLength: 7, ETag, AcceptRanges: 'bytes' });
    expect(answer.LastModified?.getTime()).toBeGreaterThanOrEqual(before);
    expect(await head('plain')).toMatchObject({ ...metadata, ContentLength: 7 });
  });

  it('may be empty', async () => {
    await put('empty', '');
    expect(await textOf('empty')).toBe('');
    expect(await head('empty')).toMatchObject({ ContentLength: 0, ETag: `"${md5('')}"` });
    await refused(get('empty', { Range: 'bytes=0-0' }), 'InvalidRange', 416);
  });

  it('are overwritten with their metadata, and deleted once or again', async () => {
    await put('over', 'a', { Metadata: { x: '1' } });
    await put('over', 'bb');
    expect(await head('over')).toMatchObject({ ContentLength: 2, Metadata: {} });
    expect(await textOf('over')).toBe('bb');
    for (let time = 0; time < 2; time++) {
      const { $metadata } = await s3.deleteObject({ Bucket: BUCKET, Key: 'over' });
      expect($metadata.httpStatusCode).toBe(204);
    }
    await refused(get('over'), 'NoSuchKey', 404);
    await refused(head('over'), 'NotFound', 404);
  });

  it.each([
    ...['a b', 'ü/é/日本', '&<>"\'', '(1)!*~', 'plus+percent%25', 'a/../../b', '../../../etc/passwd', 'a//b'],
    ...['/lead', '%', 'a?b#c', '.', 'x'.repeat(1024)],
  ])('may have the key %j, and stay in the folder', async (key) => {
    await put(key, key);
    expect(await textOf(key)).toBe(key);
    const keysOf = async (EncodingType?: 'url') =>
      (await s3.listObjectsV2({ Bucket: BUCKET, Prefix: key, EncodingType })).Contents?.map(({ Key }) => Key);
    expect(await keysOf()).toContain(key);
    expect((await keysOf('url'))?.map((url) => decodeURIComponent(url ?? ''))).toContain(key);
    const names = fs.readdirSync(path.join(fixture.folder, 's3'));
    expect(names.filter((file) => !/^\d+$/.test(file))).toEqual([]);
    expect(fs.readdirSync(fixture.folder)).toEqual(['s3']);
  });

  it('must have keys of at most 1,024 bytes', async () => {
    await refused(put('ü'.repeat(513), 'x'), 'KeyTooLongError', 400);
  });

  it('are never a mixture of two writes', async () => {
    const bodies = Array.from({ length: 6 }, (_, index) => String(index).repeat(300_000));
    await put('mixed', bodies[0]);
    const writes = bodies.map((body) => put('mixed', body));
    const reads = await Promise.all(Array.from({ length: 12 }, () => textOf('mixed')));
    await Promise.all(writes);
    for (const read of [...reads, await textOf('mixed')]) expect(bodies).toContain(read);
  });
});

describe('ranges', () => {
  beforeAll(() => put('digits', '0123456789'));

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=8-100', '89', 'bytes 8-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10'],
  ])('%s returns %s', async (Range, expected, ContentRange) => {
    const { Body, ...answer } = await get('digits', { Range });
    expect(await Body?.transformToString()).toBe(expected);
    expect(answer).toMatchObject({ ContentRange, $metadata: { httpStatusCode: 206 } });
    expect(await head('digits', { Range })).toMatchObject({ ContentLength: expected.length });
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s is outside of the object', async (Range) => {
    await refused(get('digits', { Range }), 'InvalidRange', 416);
  });

  it.each(['lines=1-2', 'bytes=5-2'])('%s is ignored', async (Range) => {
    expect(await textOf('digits', { Range })).toBe('0123456789');
  });
});

describe('conditions', () => {
  it('of a read are about the ETag', async () => {
    const { ETag } = await put('version', 'one');
    const time = new Date();
    for (const condition of [{ IfMatch: ETag, IfModifiedSince: time }, { IfNoneMatch: '"other"' }])
      expect(await textOf('version', condition)).toBe('one');
    for (const [condition, status] of [
      [{ IfMatch: '"other"' }, 412],
      [{ IfNoneMatch: ETag, IfModifiedSince: time }, 304],
      [{ IfNoneMatch: '*' }, 304],
      [{ IfUnmodifiedSince: time }, 501],
    ] as const) {
      const failed = { $metadata: { httpStatusCode: status } };
      await expect(get('version', condition)).rejects.toMatchObject(failed);
      await expect(head('version', condition)).rejects.toMatchObject(failed);
    }
  });

  it('of a write need a key that does not exist, or this version', async () => {
    const { ETag } = await put('once', 'one', { IfNoneMatch: '*' });
    await refused(put('once', 'no', { IfNoneMatch: '*' }), 'PreconditionFailed', 412);
    await put('once', 'two', { IfMatch: ETag });
    await refused(put('once', 'no', { IfMatch: ETag }), 'PreconditionFailed', 412);
    await refused(put('absent', 'no', { IfMatch: ETag }), 'NoSuchKey', 404);
    expect(await textOf('once')).toBe('two');
  });

  it.each<[string, () => Promise<unknown>, string, string]>([
    ['if-none-match', () => put('slow', 'quick'), 'PreconditionFailed', 'quick'],
    ['another version', () => put('slow', 'quick'), 'PreconditionFailed', 'quick'],
    ['a deletion', () => fixture.store.delete(BUCKET, 'slow'), 'ConditionalRequestConflict', 'none'],
  ])('hold when the last byte has arrived: %s', async (kind, meanwhile, code, left) => {
    await fixture.store.delete(BUCKET, 'slow');
    if (kind !== 'if-none-match') await put('slow', 'first');
    const ifMatch = fixture.store.find(BUCKET, 'slow')?.etag;
    const condition = { ifAbsent: ifMatch === undefined, ifMatch };
    const body = new Readable({ read: () => undefined });
    const write = fixture.store.put(BUCKET, 'slow', body, { condition });
    await meanwhile();
    body.push('slow');
    body.push(null);
    await expect(write).rejects.toMatchObject({ code });
    expect(await textOf('slow').catch(() => 'none')).toBe(left);
  });
});

describe('a checksum', () => {
  it.each(COMPUTED)('%s is stored and returned, and verified in a trailer', async (algorithm) => {
    const field = `Checksum${algorithm}` as const;
    const content = randomBytes(100_007);
    const stream = Readable.from([content.subarray(0, 100_000), content.subarray(100_000)]);
    for (const Body of [content, stream]) {
      const sum = { ChecksumAlgorithm: algorithm, ContentLength: content.byteLength };
      const written = await put('summed', Body, sum);
      expect(written[field]).toEqual(expect.any(String));
      const answer = await get('summed', { ChecksumMode: 'ENABLED' });
      expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? []).equals(content)).toBe(true);
      expect(answer).toMatchObject({ [field]: written[field], ChecksumType: 'FULL_OBJECT' });
      expect(answer.ContentEncoding).toBeUndefined();
      expect((await head('summed', { ChecksumMode: 'ENABLED' }))[field]).toBe(written[field]);
    }
  });

  it.each([
    ['ChecksumCRC32', 'AAAAAA==', 'BadDigest'],
    ['ChecksumCRC32C', 'AAAAAA==', 'BadDigest'],
    ['ChecksumCRC64NVME', 'AAAAAAAAAAA=', 'BadDigest'],
    ['ChecksumSHA256', createHash('sha256').update('other').digest('base64'), 'BadDigest'],
    ['ContentMD5', createHash('md5').update('other').digest('base64'), 'BadDigest'],
    ['ChecksumSHA256', 'AAAAAA==', 'InvalidRequest'],
    ['ContentMD5', 'AAAAAA==', 'InvalidDigest'],
  ])('%s of %s is refused, and nothing is stored', async (field, value, name) => {
    await refused(put('damaged', 'content', { [field]: value }), name, 400);
    await refused(head('damaged'), 'NotFound', 404);
  });

  it('of the NVMe standard is computed if the client sends none', async () => {
    const { server, credentials, secure } = fixture;
    const own = { ...secure, requestChecksumCalculation: 'WHEN_REQUIRED' } as const;
    const lean = clientFor(server.endpoint, credentials, own);
    await lean.putObject({ Bucket: BUCKET, Key: 'unsummed', Body: '123456789' });
    const answer = await head('unsummed', { ChecksumMode: 'ENABLED' });
    // The check value of the catalogue.
    expect(answer.ChecksumCRC64NVME).toBe(Buffer.from('ae8b14860a799888', 'hex').toString('base64'));
  });
});

describe('lists', () => {
  const KEYS = ['b', 'a', 'é', 'Z', 'a/1', 'a/2', 'c/1', '😀', '\uffff'].map((key) => `list/${key}`);
  const SORTED = ['Z', 'a', 'a/1', 'a/2', 'b', 'c/1', 'é', '\uffff', '😀'].map((key) => `list/${key}`);
  beforeAll(async () => {
    for (const key of KEYS) await put(key, key);
  });

  async function listed(pageSize: number, Delimiter?: string): Promise<(string | undefined)[]> {
    const all: (string | undefined)[] = [];
    const request = { Bucket: BUCKET, Prefix: 'list/', Delimiter };
    for await (const page of paginateListObjectsV2({ client: s3, pageSize }, request)) {
      const { Contents = [], CommonPrefixes = [], KeyCount } = page;
      expect(KeyCount).toBe(Contents.length + CommonPrefixes.length);
      expect(KeyCount).toBeLessThanOrEqual(pageSize);
      all.push(...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix));
    }
    return all;
  }

  it.each([1, 2, 3, 1000])(
    'return keys in the order of their bytes, joined up to a delimiter, in pages of %i',
    async (pageSize) => {
      expect(await listed(pageSize)).toEqual(SORTED);
      const joined = ['Z', 'a', 'a/', 'b', 'c/', 'é', '\uffff', '😀'].map((key) => `list/${key}`);
      expect((await listed(pageSize, '/')).sort()).toEqual(joined.sort());
    },
  );

  it('begin after a key, and describe objects', async () => {
    const list = (more: object) => s3.listObjectsV2({ Bucket: BUCKET, ...more });
    const { Contents = [] } = await list({ Prefix: 'list/', StartAfter: 'list/a/2' });
    expect(Contents.map(({ Key }) => Key)).toEqual(SORTED.slice(4));
    const ETag = `"${md5('list/b')}"`;
    expect(Contents[0]).toMatchObject({ Key: 'list/b', Size: 6, ETag, StorageClass: 'STANDARD' });
    expect(Contents[0]?.LastModified).toEqual(expect.any(Date));
  });
});

it('buckets are listed, and those that do not exist are NoSuchBucket', async () => {
  expect((await s3.listBuckets()).Buckets?.map(({ Name }) => Name)).toEqual([BUCKET]);
  await s3.headBucket({ Bucket: BUCKET });
  const other = { Bucket: 'another-bucket', Key: 'x' };
  await refused(s3.getObject(other), 'NoSuchBucket', 404);
  await refused(s3.putObject({ ...other, Body: 'x' }), 'NoSuchBucket', 404);
  await refused(s3.listObjectsV2(other), 'NoSuchBucket', 404);
  await refused(s3.createMultipartUpload(other), 'NoSuchBucket', 404);
  await refused(s3.headBucket(other), 'NotFound', 404);
});
