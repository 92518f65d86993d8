import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  CreateSessionCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { BUCKET, clientFor, s3Fixture } from '../../support/s3-fixture';
import { type Answer, sendSigned } from '../../support/signed-request';

const s3 = s3Fixture();

function put(key: string, body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) {
  return s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ...more }));
}

async function get(key: string, range?: string): Promise<string> {
  const answer = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key, Range: range }));
  return (await answer.Body?.transformToString('latin1')) ?? '';
}

describe('objects', () => {
  test('are returned as they were put, with their metadata', async () => {
    const bytes = randomBytes(1000);
    await put('plain', bytes, { ContentType: 'application/x-tensor', Metadata: { run: '7' } });
    const answer = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'plain' }));
    expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? [])).toEqual(bytes);
    expect(answer).toMatchObject({
      ContentLength: 1000,
      ContentType: 'application/x-tensor',
      ETag: `"${createHash('md5').update(bytes).digest('hex')}"`,
      Metadata: { run: '7' },
    });
  });

  test('may be empty', async () => {
    await put('empty', Buffer.alloc(0));
    expect(await get('empty')).toBe('');
  });

  test('are replaced by a later put, without disturbing a reader', async () => {
    await put('replaced', 'a'.repeat(100_000));
    const before = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'replaced' }));
    await put('replaced', 'b');
    expect(await before.Body?.transformToString()).toBe('a'.repeat(100_000));
    expect(await get('replaced')).toBe('b');
  });

  test('are gone after a deletion, which may be repeated', async () => {
    await put('short-lived', 'x');
    for (let i = 0; i < 2; i++)
      await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'short-lived' }));
    await expect(get('short-lived')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([
    'a/../../b',
    '../../../etc/passwd',
    'a//b',
    '/lead',
    'ü é+%41 &<>"',
    '%',
    'a?b#c',
    '.',
    'x'.repeat(1024),
  ])('may have the key %j', async (key) => {
    await put(key, `content of ${key}`);
    expect(Buffer.from(await get(key), 'latin1').toString()).toBe(`content of ${key}`);
    const listed = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key }));
    expect(listed.Contents?.map((object) => object.Key)).toContain(key);
  });

  test('stay in the folder with any key', () => {
    const files = fs.readdirSync(path.join(s3.folder, 's3'));
    expect(files.filter((file) => !/^\d+$/.test(file))).toEqual([]);
    expect(fs.readdirSync(s3.folder)).toEqual(['s3']);
  });

  test('of many megabytes can be streamed', async () => {
    const part = randomBytes(1 << 20);
    const count = 40;
    const body = Readable.from(repeat(part, count), { objectMode: false });
    await put('large', body, { ContentLength: part.length * count });
    const answer = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }));
    const [expected, actual] = [createHash('sha256'), createHash('sha256')];
    for (let i = 0; i < count; i++) expected.update(part);
    for await (const bytes of answer.Body as Readable) actual.update(bytes as Buffer);
    expect(actual.digest('hex')).toBe(expected.digest('hex'));
  });

  test('return their size to HEAD, or 404', async () => {
    await put('headed', '12345');
    const head = await s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'headed' }));
    expect(head.ContentLength).toBe(5);
    const missing = s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'missing' }));
    await expect(missing).rejects.toMatchObject({ name: 'NotFound' });
  });
});

describe('ranges', () => {
  beforeAll(() => put('digits', '0123456789'));

  test.each([
    ['bytes=2-4', '234'],
    ['bytes=7-', '789'],
    ['bytes=-3', '789'],
    ['bytes=8-100', '89'],
    ['bytes=-100', '0123456789'],
    ['lines=1-2', '0123456789'],
    ['bytes=5-2', '0123456789'],
  ])('%s returns %s', async (range, expected) => {
    expect(await get('digits', range)).toBe(expected);
  });

  test('are returned with their position', async () => {
    const answer = await s3.client.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: 'digits', Range: 'bytes=2-4' }),
    );
    expect(answer).toMatchObject({ ContentRange: 'bytes 2-4/10', ContentLength: 3 });
  });

  test.each([
    ['bytes=10-', 'InvalidRange'],
    ['bytes=-0', 'InvalidRange'],
    ['bytes=0-1,3-4', 'NotImplemented'],
  ])('%s is refused with %s', async (range, name) => {
    await expect(get('digits', range)).rejects.toMatchObject({ name });
  });
});

describe('conditions', () => {
  test('If-None-Match: * refuses a key that exists', async () => {
    await put('once', 'first', { IfNoneMatch: '*' });
    await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await get('once')).toBe('first');
  });

  test('exactly one of many concurrent conditional puts succeeds, and its bytes are stored', async () => {
    const bodies = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
    const outcomes = await Promise.allSettled(bodies.map((body) => put('race', body, { IfNoneMatch: '*' })));
    const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(await get('race')).toBe(bodies[winners[0]]);
  });

  test('If-Match on a read refuses another version', async () => {
    const { ETag } = await put('versioned', 'one');
    await put('versioned', 'two');
    const read = s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'versioned', IfMatch: ETag }));
    await expect(read).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });
});

describe('checksums', () => {
  test.each([
    ['ChecksumCRC32', 'AAAAAA=='],
    ['ChecksumSHA256', createHash('sha256').update('other').digest('base64')],
    ['ContentMD5', createHash('md5').update('other').digest('base64')],
  ])('a wrong %s is refused and nothing is stored', async (name, value) => {
    await expect(put('damaged', 'content', { [name]: value })).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(get('damaged')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([
    ['a wrong trailer', { trailer: 'AAAAAA==', size: 3 }, 'BadDigest'],
    ['a missing trailer', { trailer: undefined, size: 3 }, 'MalformedTrailerError'],
    ['a wrong decoded length', { trailer: 'NSRBwg==', size: 4 }, 'IncompleteBody'],
  ])('%s of an aws-chunked body is refused', async (_, { trailer, size }, code) => {
    const answer = await putChunked('chunked', size, trailer);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(`<Code>${code}</Code>`);
    await expect(get('chunked')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('a right trailer of an aws-chunked body is accepted', async () => {
    expect((await putChunked('framed', 3, 'NSRBwg==')).status).toBe(200);
    expect(await get('framed')).toBe('abc');
  });

  test('a right SHA-256 is accepted', async () => {
    const sha256 = createHash('sha256').update('content').digest('base64');
    await put('verified', 'content', { ChecksumSHA256: sha256 });
    expect(await get('verified')).toBe('content');
  });

  test('a read returns the CRC32, which the SDK verifies', async () => {
    const { ChecksumCRC32 } = await put('checked', 'content');
    const answer = await s3.client.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: 'checked', ChecksumMode: 'ENABLED' }),
    );
    expect(answer.ChecksumCRC32).toBe(ChecksumCRC32);
    expect(await answer.Body?.transformToString()).toBe('content');
  });

  test('an unsupported checksum is refused by name', async () => {
    const refused = put('xxhash', 'content', { ChecksumXXHASH64: 'AAAAAAAAAAA=' });
    await expect(refused).rejects.toThrow(/x-amz-checksum-xxhash64/);
  });
});

describe('lists', () => {
  test('return keys below a prefix in byte order, page by page', async () => {
    const keys = ['list/b', 'list/a', 'list/é', 'list/Z', 'list/a/1'];
    await Promise.all(keys.map((key) => put(key, key)));
    const pages = paginateListObjectsV2(
      { client: s3.client, pageSize: 2 },
      { Bucket: BUCKET, Prefix: 'list/' },
    );
    const listed: (string | undefined)[] = [];
    for await (const page of pages) listed.push(...(page.Contents ?? []).map((object) => object.Key));
    expect(listed).toEqual(['list/Z', 'list/a', 'list/a/1', 'list/b', 'list/é']);
  });
});

describe('S3 refuses', () => {
  test('a bucket that does not exist', async () => {
    const read = s3.client.send(new GetObjectCommand({ Bucket: 'other', Key: 'x' }));
    await expect(read).rejects.toMatchObject({ name: 'NoSuchBucket' });
    const write = s3.client.send(new PutObjectCommand({ Bucket: 'other', Key: 'x', Body: 'x' }));
    await expect(write).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test('a caller with an unknown access key id, or without one', async () => {
    const stranger = clientFor(s3.server.endpoint, { ...s3.credentials, accessKeyId: 'AKIASTRANGER' });
    const read = stranger.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'plain' }));
    await expect(read).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
      $metadata: { httpStatusCode: 403 },
    });
    expect((await fetch(`${s3.server.endpoint}/${BUCKET}/plain`)).status).toBe(403);
  });

  test('unsupported operations by name', async () => {
    const at = { Bucket: BUCKET, Key: 'plain' };
    const refused: [Promise<unknown>, RegExp][] = [
      [s3.client.send(new CreateBucketCommand({ Bucket: 'new' })), /CreateBucket/],
      [s3.client.send(new DeleteBucketCommand({ Bucket: BUCKET })), /DeleteBucket/],
      [s3.client.send(new ListObjectsCommand({ Bucket: BUCKET })), /ListObjects/],
      [s3.client.send(new GetObjectAclCommand(at)), /acl/],
      [s3.client.send(new GetBucketVersioningCommand({ Bucket: BUCKET })), /versioning/],
      [put('tagged', 'x', { Tagging: 'a=b' }), /x-amz-tagging/],
      [put('locked', 'x', { ObjectLockMode: 'GOVERNANCE' }), /x-amz-object-lock-mode/],
      [put('frozen', 'x', { StorageClass: 'DEEP_ARCHIVE' }), /DEEP_ARCHIVE/],
      [put('same', 'x', { IfNoneMatch: '"a"' }), /If-None-Match/],
    ];
    for (const [operation, message] of refused) {
      const error: unknown = await operation.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'NotImplemented' });
      expect(error).toHaveProperty('message', expect.stringMatching(message));
    }
  });
});

/** `abc` in the framing that the SDK uses for streams. */
function putChunked(key: string, size: number, crc32: string | undefined): Promise<Answer> {
  const trailer = crc32 === undefined ? '' : `x-amz-checksum-crc32:${crc32}\r\n`;
  const headers = {
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': String(size),
    'x-amz-trailer': 'x-amz-checksum-crc32',
  };
  const body = `3\r\nabc\r\n0\r\n${trailer}\r\n`;
  return sendSigned(
    s3.server.endpoint,
    { method: 'PUT', path: `/${BUCKET}/${key}`, headers, body },
    { credentials: s3.credentials },
  );
}

function* repeat(part: Buffer, count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield part;
}

describe('a directory bucket', () => {
  const Bucket = 'tensors--use1-az5--x-s3';

  test('is used in sessions, which the SDK opens', async () => {
    s3.store.createBucket(Bucket);
    const once = { Bucket, Key: 'runs/a', Body: 'one', IfNoneMatch: '*' };
    await s3.client.send(new PutObjectCommand(once));
    await expect(s3.client.send(new PutObjectCommand(once))).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    const { Body } = await s3.client.send(
      new GetObjectCommand({ Bucket, Key: 'runs/a', Range: 'bytes=1-2' }),
    );
    expect(await Body?.transformToString()).toBe('ne');
    expect(s3.store.head(Bucket, 'runs/a').size).toBe(3);
  });

  test('is recognized by its name: other buckets have no sessions', async () => {
    await expect(s3.client.send(new CreateSessionCommand({ Bucket: BUCKET }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    const missing = new CreateSessionCommand({ Bucket: 'missing--use1-az5--x-s3' });
    await expect(s3.client.send(missing)).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});
