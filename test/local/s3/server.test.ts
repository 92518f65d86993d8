/** What this S3 does beyond what semantics.test.ts asks of every S3 server: hostile keys, odd ranges, framing, and refusals by name. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  CreateSessionCommand,
  DeleteBucketCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
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
  test('are replaced by a later put, without disturbing a reader', async () => {
    await put('replaced', 'a'.repeat(100_000));
    const before = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'replaced' }));
    await put('replaced', 'b');
    expect(await before.Body?.transformToString()).toBe('a'.repeat(100_000));
    expect(await get('replaced')).toBe('b');
  });

  test.each(['a/../../b', '../../../etc/passwd', 'a//b', '/lead', '%', 'a?b#c', '.', 'x'.repeat(1024)])(
    'may have the key %j, and stay in the folder',
    async (key) => {
      await put(key, `content of ${key}`);
      expect(await get(key)).toBe(`content of ${key}`);
      const listed = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: key }));
      expect(listed.Contents?.map((object) => object.Key)).toContain(key);
      expect(fs.readdirSync(path.join(s3.folder, 's3')).filter((file) => !/^\d+$/.test(file))).toEqual([]);
      expect(fs.readdirSync(s3.folder)).toEqual(['s3']);
    },
  );

  test('of many megabytes can be streamed', async () => {
    const part = randomBytes(1 << 20);
    const parts = Array.from({ length: 40 }, () => part);
    await put('large', Readable.from(parts, { objectMode: false }), {
      ContentLength: part.length * parts.length,
    });
    const answer = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }));
    const [expected, actual] = [createHash('sha256'), createHash('sha256')];
    for (const each of parts) expected.update(each);
    for await (const bytes of answer.Body as Readable) actual.update(bytes as Buffer);
    expect(actual.digest('hex')).toBe(expected.digest('hex'));
  });
});

describe('ranges', () => {
  beforeAll(() => put('digits', '0123456789'));

  test.each(['lines=1-2', 'bytes=5-2'])('%s is ignored', async (range) => {
    expect(await get('digits', range)).toBe('0123456789');
  });

  test('several at once are refused', async () => {
    await expect(get('digits', 'bytes=0-1,3-4')).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

describe('the trailer of an aws-chunked body', () => {
  test.each([
    ['with another checksum', { trailer: 'AAAAAA==', size: 3 }, 'BadDigest'],
    ['that is missing', { trailer: undefined, size: 3 }, 'MalformedTrailerError'],
    ['after another length', { trailer: 'NSRBwg==', size: 4 }, 'IncompleteBody'],
  ])('%s is refused, and nothing is stored', async (_, { trailer, size }, code) => {
    const answer = await putChunked('chunked', size, trailer);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(`<Code>${code}</Code>`);
    await expect(get('chunked')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('with the right checksum is accepted', async () => {
    expect((await putChunked('framed', 3, 'NSRBwg==')).status).toBe(200);
    expect(await get('framed')).toBe('abc');
  });
});

test('a caller without a signature is refused', async () => {
  expect((await fetch(`${s3.server.endpoint}/${BUCKET}/plain`)).status).toBe(403);
});

test('an expected owner must be the account of the deployment', async () => {
  const owned = (ExpectedBucketOwner: string) =>
    s3.client.send(new HeadBucketCommand({ Bucket: BUCKET, ExpectedBucketOwner }));
  await owned('000000000000');
  await expect(owned('123456789012')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  await expect(put('owned', 'x', { ExpectedBucketOwner: '123456789012' })).rejects.toThrow('Access Denied');
});

test('what is not supported is refused by name', async () => {
  const at = { Bucket: BUCKET, Key: 'plain' };
  const attributes = { ...at, ObjectAttributes: ['ETag' as const] };
  const refused: [() => Promise<unknown>, RegExp][] = [
    [() => s3.client.send(new CreateBucketCommand({ Bucket: 'new' })), /CreateBucket/],
    [() => s3.client.send(new DeleteBucketCommand({ Bucket: BUCKET })), /DeleteBucket/],
    [() => s3.client.send(new ListObjectsCommand({ Bucket: BUCKET })), /ListObjects/],
    [() => s3.client.send(new GetObjectAclCommand(at)), /acl/],
    [() => s3.client.send(new GetObjectAttributesCommand(attributes)), /attributes/],
    [() => s3.client.send(new GetBucketVersioningCommand({ Bucket: BUCKET })), /versioning/],
    [() => put('tagged', 'x', { Tagging: 'a=b' }), /x-amz-tagging/],
    [() => put('locked', 'x', { ObjectLockMode: 'GOVERNANCE' }), /x-amz-object-lock-mode/],
    [() => put('frozen', 'x', { StorageClass: 'DEEP_ARCHIVE' }), /DEEP_ARCHIVE/],
    [() => put('same', 'x', { IfNoneMatch: '"a"' }), /If-None-Match/],
    [() => put('xxhash', 'content', { ChecksumXXHASH64: 'AAAAAAAAAAA=' }), /x-amz-checksum-xxhash64/],
  ];
  for (const [operation, message] of refused) {
    const error: unknown = await operation().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'NotImplemented',
      message: expect.stringMatching(message) as string,
    });
  }
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
  });

  test('is recognized by its name: other buckets have no sessions', async () => {
    await expect(s3.client.send(new CreateSessionCommand({ Bucket: BUCKET }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    const missing = new CreateSessionCommand({ Bucket: 'missing--use1-az5--x-s3' });
    await expect(s3.client.send(missing)).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});
