import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as zlib from 'node:zlib';
import type {
  CompletedPart,
  CompleteMultipartUploadCommandInput,
  UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';

const MIB = 1024 * 1024;
const SMALLEST_PART = 5 * MIB;

const fixture = s3Fixture();
const { client: s3 } = fixture;

/** Two parts of the smallest size, and a last part, which may have any size. */
const CONTENT = randomBytes(2 * SMALLEST_PART + 3);
const PARTS = [
  CONTENT.subarray(0, SMALLEST_PART),
  CONTENT.subarray(SMALLEST_PART, -3),
  CONTENT.subarray(-3),
] as const;

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest();
const ETAG = `"${md5(Buffer.concat(PARTS.map(md5))).toString('hex')}-3"`;
const crc32 = Buffer.alloc(4);
crc32.writeUInt32BE(zlib.crc32(CONTENT));

async function create(Key: string, more: object = {}) {
  const { UploadId } = await s3.createMultipartUpload({ Bucket: BUCKET, Key, ...more });
  return uploadAt({ Bucket: BUCKET, Key, UploadId });
}

function uploadAt(at: Pick<UploadPartCommandInput, 'Bucket' | 'Key' | 'UploadId'>) {
  const part = async (PartNumber: number, Body: Buffer | string, more: object = {}) => {
    const { ETag } = await s3.uploadPart({ ...at, PartNumber, Body, ...more });
    return { PartNumber, ETag };
  };
  return {
    at,
    part,
    parts: () => Promise.all([2, 0, 1].map((index) => part(index + 1, PARTS[index]))),
    complete: (Parts: CompletedPart[], more: Partial<CompleteMultipartUploadCommandInput> = {}) => {
      Parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
      return s3.completeMultipartUpload({ ...at, MultipartUpload: { Parts }, ...more });
    },
    abort: () => s3.abortMultipartUpload(at),
  };
}

async function get(Key: string): Promise<Buffer> {
  const { Body } = await s3.getObject({ Bucket: BUCKET, Key });
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

function files(): number {
  return fs.readdirSync(path.join(fixture.folder, 's3')).length;
}

describe('a multipart upload', () => {
  test('becomes one object with its metadata, an ETag of its parts, and a checksum of the whole', async () => {
    const before = files();
    const upload = await create('whole', { Metadata: { sha256: 'ab' }, ChecksumAlgorithm: 'CRC32' });
    const expected = { ETag: ETAG, ChecksumCRC32: crc32.toString('base64'), ChecksumType: 'FULL_OBJECT' };
    expect(await upload.complete(await upload.parts())).toMatchObject({ Bucket: BUCKET, ...expected });
    expect((await get('whole')).equals(CONTENT)).toBe(true);
    const head = await s3.headObject({ Bucket: BUCKET, Key: 'whole', ChecksumMode: 'ENABLED' });
    expect(head).toMatchObject({ ContentLength: CONTENT.length, Metadata: { sha256: 'ab' }, ...expected });
    expect(files()).toBe(before + 1);
  });

  test('keeps the last part of each number, and omits parts that are not listed', async () => {
    const before = files();
    const upload = await create('replaced');
    await upload.part(1, 'first');
    const part = await upload.part(1, 'second');
    await upload.part(7, 'left out');
    await upload.complete([part]);
    expect((await get('replaced')).toString()).toBe('second');
    expect(files()).toBe(before + 1);
  });
});

describe('completion', () => {
  const NO_ETAG = '0'.repeat(32);

  test('is refused with bad parts or another size or checksum than expected, and the upload stays', async () => {
    const upload = await create('refused');
    const parts = await upload.parts();
    const [last, first] = parts;
    const refused: [CompletedPart[], object, string][] = [
      [[first, first], {}, 'InvalidPartOrder'],
      [[last, { ...last, PartNumber: 4 }], {}, 'EntityTooSmall'],
      [[first, { ...last, PartNumber: 9 }], {}, 'InvalidPart'],
      [[{ ...first, ETag: NO_ETAG }], {}, 'InvalidPart'],
      [[], {}, 'MalformedXML'],
      [[{ PartNumber: 1 }], {}, 'MalformedXML'],
      [[{ ETag: NO_ETAG }], {}, 'MalformedXML'],
      [parts, { MpuObjectSize: 5 }, 'InvalidRequest'],
      [parts, { ChecksumCRC32: 'AAAAAA==' }, 'BadDigest'],
    ];
    await upload.part(4, PARTS[2]);
    for (const [chosen, more, name] of refused)
      await expect(upload.complete(chosen, more)).rejects.toMatchObject({ name });
    const expected = { MpuObjectSize: CONTENT.length, ChecksumCRC32: crc32.toString('base64') };
    await upload.complete(parts, expected);
    expect((await get('refused')).equals(CONTENT)).toBe(true);
  });

  test('is refused if the key exists and the request has If-None-Match', async () => {
    await s3.putObject({ Bucket: BUCKET, Key: 'once', Body: 'first' });
    const upload = await create('once');
    const completion = upload.complete([await upload.part(1, 'second')], { IfNoneMatch: '*' });
    await expect(completion).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await get('once')).toString()).toBe('first');
  });

  test('succeeds only once', async () => {
    const upload = await create('twice');
    const part = await upload.part(1, 'x');
    const outcomes = await Promise.allSettled([upload.complete([part]), upload.complete([part])]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(upload.abort()).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });
});

test('a part that differs from its checksum, or has a bad number, is refused and not kept', async () => {
  const before = files();
  const upload = await create('damaged');
  for (const [number, sum, name] of [
    [1, { ChecksumCRC32: 'AAAAAA==' }, 'BadDigest'],
    [1, { ContentMD5: md5(CONTENT).toString('base64') }, 'BadDigest'],
    [0, {}, 'InvalidArgument'],
    [10_001, {}, 'InvalidArgument'],
  ] as const)
    await expect(upload.part(number, 'content', sum)).rejects.toMatchObject({ name });
  expect(files()).toBe(before);
});

test('an upload that does not exist or has another key is NoSuchUpload', async () => {
  const { at } = await create('mine');
  for (const upload of [uploadAt({ ...at, UploadId: 'unknown' }), uploadAt({ ...at, Key: 'yours' })]) {
    await expect(upload.part(1, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' });
    const completion = upload.complete([{ PartNumber: 1, ETag: 'x' }]);
    await expect(completion).rejects.toMatchObject({ name: 'NoSuchUpload' });
  }
});
