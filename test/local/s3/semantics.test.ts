/** What S3 does with objects and buckets, seen by the unmodified SDK over TLS. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type ChecksumAlgorithm,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { BUCKET, clientFor, s3Fixture } from '../../support/s3-fixture';

const MIB = 1024 * 1024;

/** Algorithms that the SDK computes without further packages. */
const COMPUTED = ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const satisfies ChecksumAlgorithm[];

function md5(bytes: string | Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

const s3 = s3Fixture({ protocol: 'https' });

function put(Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) {
  return s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
}

function get(Key: string, more: Partial<GetObjectCommandInput> = {}) {
  return s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
}

function head(Key: string, more: Partial<GetObjectCommandInput> = {}) {
  return s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ...more }));
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
      ContentDisposition: 'attachment; filename="x"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      Metadata: { run: '7', 'two-words': 'a  b' },
    };
    const before = Math.floor(Date.now() / 1000) * 1000;
    await put('plain', 'content', metadata);
    const { Body, ...answer } = await get('plain');
    expect(await Body?.transformToString()).toBe('content');
    expect(answer).toMatchObject({
      ...metadata,
      ContentLength: 7,
      ETag: `"${md5('content')}"`,
      AcceptRanges: 'bytes',
    });
    expect(answer.LastModified?.getTime()).toBeGreaterThanOrEqual(before);
    expect(await head('plain')).toMatchObject({ ...metadata, ContentLength: 7 });
  });

  it('may be empty', async () => {
    await put('empty', '');
    expect(await textOf('empty')).toBe('');
    expect(await head('empty')).toMatchObject({ ContentLength: 0, ETag: `"${md5('')}"` });
    await refused(get('empty', { Range: 'bytes=0-0' }), 'InvalidRange', 416);
  });

  it('are overwritten, with their metadata', async () => {
    await put('over', 'a', { Metadata: { x: '1' } });
    await put('over', 'bb');
    expect(await head('over')).toMatchObject({ ContentLength: 2, Metadata: {} });
    expect(await textOf('over')).toBe('bb');
  });

  it('that do not exist are NoSuchKey to GET and NotFound to HEAD', async () => {
    await refused(get('none'), 'NoSuchKey', 404);
    await refused(head('none'), 'NotFound', 404);
  });

  it('may be deleted again', async () => {
    await put('short', 'x');
    for (let time = 0; time < 2; time++) {
      const { $metadata } = await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'short' }));
      expect($metadata.httpStatusCode).toBe(204);
    }
    await refused(get('short'), 'NoSuchKey', 404);
  });

  it.each(['a b', 'ü/é/日本', '&<>"\'', '(1)!*~', 'x'.repeat(200)])('may have the key %j', async (key) => {
    await put(key, key);
    expect(await textOf(key)).toBe(key);
    const { Contents } = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key }));
    expect(Contents?.map(({ Key }) => Key)).toEqual([key]);
    const listed = await s3.client.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key, EncodingType: 'url' }),
    );
    expect(listed.Contents?.map(({ Key }) => decodeURIComponent(Key ?? ''))).toEqual([key]);
  });

  it('may have a key with an escape in it', async () => {
    const key = 'plus+percent%25';
    await put(key, key);
    const url = { Bucket: BUCKET, Prefix: key, EncodingType: 'url' } as const;
    const { Contents } = await s3.client.send(new ListObjectsV2Command(url));
    expect(Contents?.map(({ Key }) => decodeURIComponent(Key ?? ''))).toEqual([key]);
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

  it('return other headers if the request asks for them', async () => {
    await put('named', 'x', { ContentType: 'a/b' });
    const answer = await get('named', {
      ResponseContentType: 'c/d',
      ResponseContentDisposition: 'inline',
      ResponseCacheControl: 'no-store',
    });
    expect(answer).toMatchObject({
      ContentType: 'c/d',
      ContentDisposition: 'inline',
      CacheControl: 'no-store',
    });
  });

  it('may have at most 2 KB of metadata', async () => {
    await put('described', 'x', { Metadata: { a: 'x'.repeat(2047) } });
    await refused(put('described', 'x', { Metadata: { a: 'x'.repeat(2048) } }), 'MetadataTooLarge', 400);
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
    expect(answer).toMatchObject({
      ContentRange,
      ContentLength: expected.length,
      $metadata: { httpStatusCode: 206 },
    });
    expect(await head('digits', { Range })).toMatchObject({ ContentLength: expected.length });
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s is outside of the object', async (Range) => {
    await refused(get('digits', { Range }), 'InvalidRange', 416);
  });
});

describe('a read', () => {
  const past = new Date(Date.now() - 3_600_000);
  let ETag: string | undefined;
  beforeAll(async () => {
    ({ ETag } = await put('version', 'one'));
  });

  it.each<[string, () => Partial<GetObjectCommandInput>]>([
    ['its ETag in If-Match', () => ({ IfMatch: ETag })],
    ['another ETag in If-None-Match', () => ({ IfNoneMatch: '"other"' })],
    ['an earlier time in If-Modified-Since', () => ({ IfModifiedSince: past })],
    ['its ETag in If-Match and an earlier time', () => ({ IfMatch: ETag, IfUnmodifiedSince: past })],
  ])('with %s succeeds', async (_, condition) => {
    expect(await textOf('version', condition())).toBe('one');
  });

  it.each<[string, () => Partial<GetObjectCommandInput>, number]>([
    ['another ETag in If-Match', () => ({ IfMatch: '"other"' }), 412],
    ['an earlier time in If-Unmodified-Since', () => ({ IfUnmodifiedSince: past }), 412],
    ['its ETag in If-None-Match', () => ({ IfNoneMatch: ETag }), 304],
    ['any ETag in If-None-Match', () => ({ IfNoneMatch: '*' }), 304],
    [
      'its ETag in If-None-Match and an earlier time',
      () => ({ IfNoneMatch: ETag, IfModifiedSince: past }),
      304,
    ],
  ])('with %s fails', async (_, condition, status) => {
    const failed = { $metadata: { httpStatusCode: status } };
    await expect(get('version', condition())).rejects.toMatchObject(failed);
    await expect(head('version', condition())).rejects.toMatchObject(failed);
  });

  it('with its own time in If-Modified-Since fails', async () => {
    const { LastModified } = await head('version');
    const read = get('version', { IfModifiedSince: LastModified });
    await expect(read).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
  });
});

describe('a conditional write', () => {
  it('with If-None-Match: * needs a key that does not exist', async () => {
    await put('once', 'first', { IfNoneMatch: '*' });
    await refused(put('once', 'second', { IfNoneMatch: '*' }), 'PreconditionFailed', 412);
    expect(await textOf('once')).toBe('first');
  });

  it('with If-Match needs this version', async () => {
    const { ETag } = await put('compared', 'one');
    await put('compared', 'two', { IfMatch: ETag });
    await refused(put('compared', 'three', { IfMatch: ETag }), 'PreconditionFailed', 412);
    await refused(put('absent', 'x', { IfMatch: ETag }), 'NoSuchKey', 404);
    expect(await textOf('compared')).toBe('two');
  });

  it('of which several are under way succeeds once; the others are refused', async () => {
    const bodies = Array.from({ length: 12 }, (_, index) => String(index).repeat(50_000));
    const outcomes = await Promise.allSettled(bodies.map((body) => put('race', body, { IfNoneMatch: '*' })));
    const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(await textOf('race')).toBe(bodies[winners[0]]);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      expect(['PreconditionFailed', 'ConditionalRequestConflict']).toContain((outcome.reason as Error).name);
    }
  });
});

describe('a conditional deletion', () => {
  const remove = (Key: string, IfMatch: string) =>
    s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key, IfMatch }));

  it('with If-Match: * needs an object', async () => {
    await put('any-version', 'x');
    await remove('any-version', '*');
    await refused(head('any-version'), 'NotFound', 404);
  });

  it('with If-Match needs this version', async () => {
    const { ETag = '' } = await put('one-version', 'x');
    await refused(remove('one-version', '"other"'), 'PreconditionFailed', 412);
    await remove('one-version', ETag);
    await refused(head('one-version'), 'NotFound', 404);
  });
});

describe('a checksum', () => {
  it.each(COMPUTED)('%s that the SDK computes is stored and returned', async (algorithm) => {
    const field = `Checksum${algorithm}` as const;
    const written = await put(`sum-${algorithm}`, 'content', { ChecksumAlgorithm: algorithm });
    expect(written[field]).toEqual(expect.any(String));
    const { Body, ...answer } = await get(`sum-${algorithm}`, { ChecksumMode: 'ENABLED' });
    expect(await Body?.transformToString()).toBe('content');
    expect(answer[field]).toBe(written[field]);
    expect(answer.ChecksumType).toBe('FULL_OBJECT');
    expect((await head(`sum-${algorithm}`, { ChecksumMode: 'ENABLED' }))[field]).toBe(written[field]);
  });

  it.each(COMPUTED)('%s in a trailer is verified', async (algorithm) => {
    const body = Readable.from([randomBytes(100_000), randomBytes(7)], { objectMode: false });
    await put(`trailing-${algorithm}`, body, { ChecksumAlgorithm: algorithm, ContentLength: 100_007 });
    expect((await head(`trailing-${algorithm}`)).ContentLength).toBe(100_007);
    expect((await head(`trailing-${algorithm}`)).ContentEncoding).toBeUndefined();
  });

  it.each([
    ['ChecksumCRC32', 'AAAAAA=='],
    ['ChecksumCRC32C', 'AAAAAA=='],
    ['ChecksumCRC64NVME', 'AAAAAAAAAAA='],
    ['ChecksumSHA1', createHash('sha1').update('other').digest('base64')],
    ['ChecksumSHA256', createHash('sha256').update('other').digest('base64')],
    ['ContentMD5', createHash('md5').update('other').digest('base64')],
  ])('%s that is wrong is refused, and nothing is stored', async (field, value) => {
    await refused(put('damaged', 'content', { [field]: value }), 'BadDigest', 400);
    await refused(head('damaged'), 'NotFound', 404);
  });

  it.each([
    ['ChecksumCRC32', 'x', 'InvalidRequest'],
    ['ChecksumSHA256', 'AAAAAA==', 'InvalidRequest'],
    ['ContentMD5', 'AAAAAA==', 'InvalidDigest'],
  ])('%s that is none is refused', async (field, value, name) => {
    await refused(put('damaged', 'content', { [field]: value }), name, 400);
  });

  it('of the NVMe standard is computed if the client sends none', async () => {
    const lean = clientFor(s3.server.endpoint, s3.credentials, {
      ...s3.secure,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    await lean.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'unsummed', Body: '123456789' }));
    lean.destroy();
    const answer = await head('unsummed', { ChecksumMode: 'ENABLED' });
    // The check value of the catalogue.
    expect(answer.ChecksumCRC64NVME).toBe(Buffer.from('ae8b14860a799888', 'hex').toString('base64'));
  });
});

describe('lists', () => {
  const KEYS = ['list/b', 'list/a', 'list/é', 'list/Z', 'list/a/1', 'list/a/2', 'list/c/1', 'list/😀'];
  const SORTED = ['list/Z', 'list/a', 'list/a/1', 'list/a/2', 'list/b', 'list/c/1', 'list/é', 'list/😀'];
  beforeAll(async () => {
    for (const key of KEYS) await put(key, key);
  });

  it.each([1, 2, 3, 1000])('return keys in the order of their bytes, in pages of %i', async (pageSize) => {
    const listed: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2(
      { client: s3.client, pageSize },
      { Bucket: BUCKET, Prefix: 'list/' },
    )) {
      expect(page.KeyCount).toBe(page.Contents?.length ?? 0);
      expect(page.KeyCount).toBeLessThanOrEqual(pageSize);
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key));
    }
    expect(listed).toEqual(SORTED);
  });

  it.each([1, 2, 1000])('join keys up to a delimiter, in pages of %i', async (pageSize) => {
    const listed: (string | undefined)[] = [];
    const pages = paginateListObjectsV2(
      { client: s3.client, pageSize },
      { Bucket: BUCKET, Prefix: 'list/', Delimiter: '/' },
    );
    for await (const page of pages) {
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key));
      listed.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
    }
    const expected = ['list/Z', 'list/a', 'list/a/', 'list/b', 'list/c/', 'list/é', 'list/😀'];
    expect(listed.sort()).toEqual(expected);
  });

  it('begin after a key', async () => {
    const { Contents } = await s3.client.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'list/', StartAfter: 'list/b' }),
    );
    expect(Contents?.map(({ Key }) => Key)).toEqual(['list/c/1', 'list/é', 'list/😀']);
  });

  it('describe objects', async () => {
    const { Contents = [] } = await s3.client.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'list/b' }),
    );
    expect(Contents).toHaveLength(1);
    expect(Contents[0]).toMatchObject({ Size: 6, ETag: `"${md5('list/b')}"`, StorageClass: 'STANDARD' });
    expect(Contents[0]?.LastModified).toEqual(expect.any(Date));
  });

  it('may be empty', async () => {
    const none = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'nothing/' }));
    expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false });
    const zero = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, MaxKeys: 0 }));
    expect(zero).toMatchObject({ KeyCount: 0, MaxKeys: 0, IsTruncated: false });
  });
});

describe('buckets', () => {
  it('are listed, and found by their names', async () => {
    const { Buckets } = await s3.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([BUCKET]);
    await s3.client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    const { LocationConstraint = '' } = await s3.client.send(
      new GetBucketLocationCommand({ Bucket: BUCKET }),
    );
    expect(LocationConstraint).toBe('');
  });

  it('that do not exist are NoSuchBucket', async () => {
    const other = { Bucket: 'another-bucket', Key: 'x' };
    await refused(s3.client.send(new GetObjectCommand(other)), 'NoSuchBucket', 404);
    await refused(s3.client.send(new PutObjectCommand({ ...other, Body: 'x' })), 'NoSuchBucket', 404);
    await refused(s3.client.send(new DeleteObjectCommand(other)), 'NoSuchBucket', 404);
    await refused(s3.client.send(new ListObjectsV2Command(other)), 'NoSuchBucket', 404);
    await refused(s3.client.send(new HeadBucketCommand(other)), 'NotFound', 404);
  });
});

describe('many objects', () => {
  function deleteAll(keys: readonly string[], Quiet?: boolean) {
    const Objects = keys.map((Key) => ({ Key }));
    return s3.client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects, Quiet } }));
  }

  it('are deleted at once, whether they exist or not', async () => {
    const keys = ['many/a', 'many/<&>', 'many/ü'];
    for (const key of keys) await put(key, key);
    const { Deleted, Errors } = await deleteAll([...keys, 'many/none']);
    expect(Deleted?.map(({ Key }) => Key).sort()).toEqual([...keys, 'many/none'].sort());
    expect(Errors).toBeUndefined();
    const { KeyCount } = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'many/' }));
    expect(KeyCount).toBe(0);
  });

  it('are deleted quietly', async () => {
    await put('quiet', 'x');
    expect((await deleteAll(['quiet'], true)).Deleted).toBeUndefined();
    await refused(head('quiet'), 'NotFound', 404);
  });

  it('of more than 1,000 are too many', async () => {
    await refused(deleteAll(Array.from({ length: 1001 }, (_, index) => `k${index}`)), 'MalformedXML', 400);
  });
});

describe('a copy', () => {
  function copy(source: string, Key: string, more: object = {}) {
    const CopySource = `${BUCKET}/${encodeURIComponent(source)}`;
    return s3.client.send(new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource, ...more }));
  }

  it('has the content and the metadata of its source', async () => {
    const source = 'copy source/ü+';
    const { ETag } = await put(source, 'content', { ContentType: 'a/b', Metadata: { x: '1' } });
    expect((await copy(source, 'copied')).CopyObjectResult?.ETag).toBe(ETag);
    expect(await head('copied')).toMatchObject({ ContentType: 'a/b', Metadata: { x: '1' }, ETag });
    expect(await textOf('copied')).toBe('content');
  });

  it('may have other metadata', async () => {
    await put('original', 'content', { Metadata: { x: '1' } });
    await copy('original', 'changed', { MetadataDirective: 'REPLACE', Metadata: { y: '2' } });
    expect((await head('changed')).Metadata).toEqual({ y: '2' });
  });

  it('onto itself must change something', async () => {
    await put('self', 'content');
    await refused(copy('self', 'self'), 'InvalidRequest', 400);
    await copy('self', 'self', { MetadataDirective: 'REPLACE', Metadata: { z: '3' } });
    expect(await textOf('self')).toBe('content');
  });

  it('needs a source that exists and has the wanted version', async () => {
    await put('versioned', 'content');
    await refused(copy('nowhere', 'x'), 'NoSuchKey', 404);
    await refused(copy('versioned', 'x', { CopySourceIfMatch: '"other"' }), 'PreconditionFailed', 412);
  });
});

describe('a large upload of lib-storage', () => {
  async function upload(Key: string, bytes: Buffer): Promise<void> {
    const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
      bytes.subarray(index * 65_536, (index + 1) * 65_536),
    );
    const Body = Readable.from(pieces, { objectMode: false });
    await new Upload({ client: s3.client, params: { Bucket: BUCKET, Key, Body }, partSize: 5 * MIB }).done();
  }

  it('becomes one object with an ETag of its parts', async () => {
    const bytes = randomBytes(12 * MIB + 5);
    await upload('uploaded', bytes);
    const { Body, ...answer } = await get('uploaded', { ChecksumMode: 'ENABLED' });
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
    const parts = [0, 5, 10].map((at) => bytes.subarray(at * MIB, Math.min((at + 5) * MIB, bytes.length)));
    const ofParts = Buffer.concat(parts.map((part) => createHash('md5').update(part).digest()));
    expect(answer.ETag).toBe(`"${md5(ofParts)}-3"`);
    expect(answer).toMatchObject({
      ChecksumType: 'COMPOSITE',
      ChecksumCRC32: expect.stringMatching(/-3$/) as string,
    });
  });

  it('that is aborted leaves no object', async () => {
    const aborting = new AbortController();
    const pieces = function* (): Generator<Buffer> {
      for (let piece = 0; ; piece++) {
        if (piece === 2) aborting.abort();
        yield Buffer.alloc(5 * MIB);
      }
    };
    const Body = Readable.from(pieces(), { objectMode: false });
    const params = { Bucket: BUCKET, Key: 'aborted', Body };
    const work = new Upload({ client: s3.client, params, partSize: 5 * MIB, abortController: aborting });
    await expect(work.done()).rejects.toMatchObject({ name: 'AbortError' });
    await refused(head('aborted'), 'NotFound', 404);
  });
});
