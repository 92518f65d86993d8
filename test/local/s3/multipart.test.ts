import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type UploadPartCommandInput,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { sendSigned } from '../../support/signed-request';

const MIB = 1024 * 1024;
const SMALLEST_PART = 5 * MIB;

const s3 = s3Fixture();

/** Two parts of the smallest size, and a last part, which may have any size. */
const CONTENT = randomBytes(2 * SMALLEST_PART + 3);
const PARTS = [
  CONTENT.subarray(0, SMALLEST_PART),
  CONTENT.subarray(SMALLEST_PART, -3),
  CONTENT.subarray(-3),
] as const;

class Upload {
  static async create(key: string, more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<Upload> {
    const { UploadId } = await s3.client.send(
      new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key, ...more }),
    );
    return new Upload({ Bucket: BUCKET, Key: key, UploadId });
  }

  constructor(readonly at: { Bucket: string; Key: string; UploadId: string | undefined }) {}

  async part(
    number: number,
    body: UploadPartCommandInput['Body'],
    more: Partial<UploadPartCommandInput> = {},
  ): Promise<CompletedPart> {
    const { ETag, ChecksumCRC32 } = await s3.client.send(
      new UploadPartCommand({ ...this.at, PartNumber: number, Body: body, ...more }),
    );
    return { PartNumber: number, ETag, ChecksumCRC32 };
  }

  async parts(): Promise<CompletedPart[]> {
    const parts: CompletedPart[] = [];
    for (const [index, body] of PARTS.entries()) parts.push(await this.part(index + 1, body));
    return parts;
  }

  complete(parts: readonly CompletedPart[], more: Partial<CompleteMultipartUploadCommandInput> = {}) {
    const MultipartUpload = { Parts: [...parts] };
    return s3.client.send(new CompleteMultipartUploadCommand({ ...this.at, MultipartUpload, ...more }));
  }

  abort() {
    return s3.client.send(new AbortMultipartUploadCommand(this.at));
  }
}

async function get(key: string): Promise<Buffer> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

function files(): number {
  return fs.readdirSync(path.join(s3.folder, 's3')).length;
}

function crc32(bytes: Buffer): Buffer {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(zlib.crc32(bytes));
  return value;
}

describe('a multipart upload', () => {
  test('becomes one object with its metadata and an ETag of its parts', async () => {
    const before = files();
    const upload = await Upload.create('whole', { Metadata: { sha256: 'ab' }, ContentType: 'a/b' });
    const completed = await upload.complete(await upload.parts());
    const md5s = PARTS.map((part) => createHash('md5').update(part).digest());
    const ETag = `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`;
    expect(completed).toMatchObject({ Bucket: BUCKET, Key: 'whole', ETag });
    expect((await get('whole')).equals(CONTENT)).toBe(true);
    const head = await s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'whole' }));
    expect(head).toMatchObject({
      ContentLength: CONTENT.length,
      Metadata: { sha256: 'ab' },
      ContentType: 'a/b',
      ETag,
    });
    expect(files()).toBe(before + 1);
  });

  test('accepts its parts in any order and concurrently', async () => {
    const upload = await Upload.create('shuffled');
    const parts = await Promise.all([2, 0, 1].map((index) => upload.part(index + 1, PARTS[index])));
    await upload.complete(parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0)));
    expect((await get('shuffled')).equals(CONTENT)).toBe(true);
  });

  test('accepts parts that are streams with their checksum in a trailer', async () => {
    const upload = await Upload.create('streamed', { ChecksumAlgorithm: 'CRC32' });
    const body = Readable.from([PARTS[2]], { objectMode: false });
    const part = await upload.part(1, body, { ContentLength: 3 });
    expect(part.ChecksumCRC32).toBe(crc32(PARTS[2]).toString('base64'));
    await upload.complete([part]);
    expect(await get('streamed')).toEqual(PARTS[2]);
  });

  test('keeps the last part of each number, and omits parts that are not listed', async () => {
    const before = files();
    const upload = await Upload.create('replaced');
    await upload.part(1, 'first');
    const part = await upload.part(1, 'second');
    await upload.part(7, 'left out');
    await upload.complete([part]);
    expect((await get('replaced')).toString()).toBe('second');
    expect(files()).toBe(before + 1);
  });

  test('can be read by parts', async () => {
    const upload = await Upload.create('by-parts');
    await upload.complete(await upload.parts());
    const part = (PartNumber: number) =>
      s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'by-parts', PartNumber }));
    const { Body, ...answer } = await part(3);
    expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(PARTS[2]);
    expect(answer).toMatchObject({
      PartsCount: 3,
      ContentRange: `bytes ${CONTENT.length - 3}-${CONTENT.length - 1}/${CONTENT.length}`,
    });
    await expect(part(4)).rejects.toMatchObject({ name: 'InvalidPartNumber' });
  });

  test('copies parts of objects', async () => {
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'source of parts', Body: CONTENT }));
    const upload = await Upload.create('of-copies');
    const copy = async (PartNumber: number, first: number, last: number) => {
      const range = {
        CopySource: `${BUCKET}/source%20of%20parts`,
        CopySourceRange: `bytes=${first}-${last}`,
      };
      const { CopyPartResult } = await s3.client.send(
        new UploadPartCopyCommand({ ...upload.at, PartNumber, ...range }),
      );
      return { PartNumber, ETag: CopyPartResult?.ETag };
    };
    const end = CONTENT.length - 1;
    await upload.complete([await copy(1, 0, SMALLEST_PART - 1), await copy(2, SMALLEST_PART, end)]);
    expect((await get('of-copies')).equals(CONTENT)).toBe(true);
    await expect(copy(3, 0, end + 1)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('is not an object before its completion, or after it is aborted', async () => {
    const before = files();
    const upload = await Upload.create('aborted');
    await upload.part(1, 'x');
    await expect(get('aborted')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await upload.abort();
    await expect(get('aborted')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(upload.part(2, 'y')).rejects.toMatchObject({ name: 'NoSuchUpload' });
    expect(files()).toBe(before);
  });
});

describe('completion', () => {
  test.each([
    ['parts in the wrong order', [1, 0], 'InvalidPartOrder'],
    ['a part twice', [0, 0], 'InvalidPartOrder'],
    ['a small part before the last', [2, 3], 'EntityTooSmall'],
    ['a part that was not uploaded', [0, 4], 'InvalidPart'],
    ['a part with another ETag', [5], 'InvalidPart'],
    ['a part with another checksum', [6], 'InvalidPart'],
    ['no part', [], 'MalformedXML'],
  ])('with %s is refused, and the upload stays', async (_, chosen, name) => {
    const upload = await Upload.create('refused');
    const parts = await upload.parts();
    const fourth = await upload.part(4, 'z');
    const all: CompletedPart[] = [
      ...parts,
      fourth,
      { ...fourth, PartNumber: 9 },
      { ...parts[0], ETag: `"${'0'.repeat(32)}"` },
      { ...parts[0], ChecksumCRC32: 'AAAAAA==' },
    ];
    await expect(upload.complete(chosen.map((index) => all[index]))).rejects.toMatchObject({ name });
    await upload.complete(parts);
    expect((await get('refused')).equals(CONTENT)).toBe(true);
  });

  test('is refused if the key exists and the request has If-None-Match', async () => {
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'once', Body: 'first' }));
    const before = files();
    const upload = await Upload.create('once');
    const part = await upload.part(1, 'second');
    await expect(upload.complete([part], { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect((await get('once')).toString()).toBe('first');
    await upload.abort();
    expect(files()).toBe(before);
  });

  test('succeeds only once', async () => {
    const upload = await Upload.create('twice');
    const part = await upload.part(1, 'x');
    const outcomes = await Promise.allSettled([upload.complete([part]), upload.complete([part])]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(upload.abort()).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('checks the size that the client expects', async () => {
    const upload = await Upload.create('sized');
    const part = await upload.part(1, 'four');
    await expect(upload.complete([part], { MpuObjectSize: 5 })).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
    await upload.complete([part], { MpuObjectSize: 4 });
  });

  test.each([
    ['a body that is not XML', 'x'],
    ['another document', '<Delete></Delete>'],
    ['text between the parts', '<CompleteMultipartUpload>x</CompleteMultipartUpload>'],
    [
      'a part without a number',
      '<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>',
    ],
  ])('with %s is refused', async (_, body) => {
    const { at } = await Upload.create('malformed');
    const path = `/${BUCKET}/malformed?uploadId=${at.UploadId ?? ''}`;
    const { credentials } = s3;
    const answer = await sendSigned(s3.server.endpoint, { method: 'POST', path, body }, { credentials });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('<Code>MalformedXML</Code>');
  });
});

describe('checksums', () => {
  test.each([
    ['ChecksumCRC32', 'AAAAAA=='],
    ['ContentMD5', createHash('md5').update('other').digest('base64')],
  ])('of a part are checked: a wrong %s is refused and the part is not kept', async (name, value) => {
    const before = files();
    const upload = await Upload.create('damaged');
    await expect(upload.part(1, 'content', { [name]: value })).rejects.toMatchObject({ name: 'BadDigest' });
    expect(files()).toBe(before);
  });

  test("cover the parts' checksums by default", async () => {
    const upload = await Upload.create('composite', { ChecksumAlgorithm: 'CRC32' });
    const completed = await upload.complete(await upload.parts());
    const value = `${crc32(Buffer.concat(PARTS.map(crc32))).toString('base64')}-3`;
    expect(completed).toMatchObject({ ChecksumCRC32: value, ChecksumType: 'COMPOSITE' });
    const head = await s3.client.send(
      new HeadObjectCommand({ Bucket: BUCKET, Key: 'composite', ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({ ChecksumCRC32: value, ChecksumType: 'COMPOSITE' });
    // The SDK must not verify the bytes that it reads against the composite checksum.
    expect((await get('composite')).equals(CONTENT)).toBe(true);
  });

  test('cover the whole object on request, and are verified', async () => {
    const full = { ChecksumType: 'FULL_OBJECT' } as const;
    const upload = await Upload.create('full', { ChecksumAlgorithm: 'CRC32', ...full });
    const parts = await upload.parts();
    const wrong = upload.complete(parts, { ...full, ChecksumCRC32: 'AAAAAA==' });
    await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' });
    const value = crc32(CONTENT).toString('base64');
    expect(await upload.complete(parts, { ...full, ChecksumCRC32: value })).toMatchObject({
      ChecksumCRC32: value,
      ...full,
    });
    expect((await get('full')).equals(CONTENT)).toBe(true);
  });

  test('must have the algorithm and type that the upload began with', async () => {
    const upload = await Upload.create('kinds', { ChecksumAlgorithm: 'CRC32' });
    const sha256 = createHash('sha256').update('x').digest('base64');
    const other = upload.part(1, 'x', { ChecksumSHA256: sha256 });
    await expect(other).rejects.toMatchObject({ name: 'InvalidRequest' });
    const part = await upload.part(1, 'x');
    const without = upload.complete([{ ...part, ChecksumCRC32: undefined }]);
    await expect(without).rejects.toMatchObject({ name: 'InvalidRequest' });
    const full = upload.complete([part], { ChecksumType: 'FULL_OBJECT' });
    await expect(full).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});

describe('S3 refuses', () => {
  test('an upload that does not exist or has another key', async () => {
    const { at } = await Upload.create('mine');
    for (const upload of [new Upload({ ...at, UploadId: 'unknown' }), new Upload({ ...at, Key: 'yours' })]) {
      await expect(upload.part(1, 'x')).rejects.toMatchObject({ name: 'NoSuchUpload' });
      await expect(upload.complete([{ PartNumber: 1, ETag: 'x' }])).rejects.toMatchObject({
        name: 'NoSuchUpload',
      });
    }
  });

  test('a bucket that does not exist', async () => {
    const create = s3.client.send(new CreateMultipartUploadCommand({ Bucket: 'other', Key: 'x' }));
    await expect(create).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test.each([0, 10_001])('the part number %d', async (number) => {
    const upload = await Upload.create('numbered');
    await expect(upload.part(number, 'x')).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  test('unsupported operations by name', async () => {
    const { at } = await Upload.create('plain');
    const send = s3.client.send.bind(s3.client);
    const copy = { ...at, PartNumber: 1, CopySource: `${BUCKET}/a?versionId=1` };
    const refused: [Promise<unknown>, RegExp][] = [
      [send(new UploadPartCopyCommand(copy)), /a version of the source/],
      [Upload.create('other', { ChecksumAlgorithm: 'XXHASH64' }), /XXHASH64/],
      [Upload.create('other', { StorageClass: 'GLACIER' }), /GLACIER/],
      [Upload.create('other', { Tagging: 'a=b' }), /x-amz-tagging/],
      [send(new ListPartsCommand(at)), /ListParts/],
      [send(new ListMultipartUploadsCommand({ Bucket: BUCKET })), /GET on bucket with \?uploads/],
    ];
    for (const [operation, message] of refused) {
      const error: unknown = await operation.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'NotImplemented' });
      expect(error).toHaveProperty('message', expect.stringMatching(message));
    }
  });
});
