import * as fs from 'node:fs';
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { UploadTask } from '../../../bin/upload/checked-content';
import { UploadBucket } from '../../../bin/upload/upload-bucket';
import { temporaryFolder } from '../../support/temporary-folder';
import { BUCKET, contentOf, makeFile, PART, storedFiles, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();
const WHOLE = ['PutObject'];
const IN_PARTS = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];

type Stored = ReturnType<typeof makeFile>;

function put(client: S3Client, task: UploadTask): Promise<void> {
  return new UploadBucket(client, BUCKET).putFile(task);
}

async function expectStored({ key, content }: Stored): Promise<void> {
  expect((await contentOf(s3.client, key)).equals(content)).toBe(true);
}

async function expectMissing({ key }: Stored): Promise<void> {
  await expect(contentOf(s3.client, key)).rejects.toMatchObject({ name: 'NoSuchKey' });
}

test.each([
  [0, WHOLE],
  [PART, WHOLE],
  [PART + 1, IN_PARTS],
  [3 * PART, IN_PARTS],
])('a file of %d bytes is sent with its digest by %j', async (bytes, requests) => {
  const task = makeFile(folder, bytes);
  const { client, names, calls, partNumbers } = s3.connect();
  await put(client, task);
  expect(names()).toEqual(requests);
  if (requests === WHOLE) {
    const ChecksumSHA256 = Buffer.from(task.sha256, 'hex').toString('base64');
    expect(calls[0].input).toMatchObject({ ChecksumSHA256 });
  } else {
    expect(partNumbers()).toEqual(Array.from({ length: Math.ceil(bytes / PART) }, (_, part) => part + 1));
    expect(calls[0].input).toMatchObject({ ChecksumAlgorithm: 'CRC32' });
  }
  await expectStored(task);
  const { Metadata } = await s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: task.key }));
  expect(Metadata).toEqual({ sha256: task.sha256 });
});

test.each(['UploadPart', 'CompleteMultipartUpload'])(
  'an upload that stops because its %s fails leaves no parts, and the next one sends the file',
  async (request) => {
    const large = makeFile(folder, 3 * PART);
    const before = storedFiles(s3);
    const first = s3.connect(({ name, input }) => {
      if (name === request && (input.PartNumber ?? 2) === 2) throw new Error('the line is cut');
    });
    await expect(put(first.client, large)).rejects.toThrow('the line is cut');
    expect(first.names()).toContain('AbortMultipartUpload');
    expect(storedFiles(s3)).toBe(before);
    await put(s3.connect().client, large);
    await expectStored(large);
  },
);

type Change = (file: string) => void;
const append: Change = (file) => {
  fs.appendFileSync(file, 'x');
};
const zero: Change = (file) => {
  fs.writeFileSync(file, Buffer.alloc(fs.statSync(file).size));
};
test.each<[string, number, Change, RegExp]>([
  ['is missing', 10, fs.rmSync, /must be readable, got no such file or folder: write it again/],
  ['has another size', 10, append, /must have 10 bytes, got 11 bytes: write it again/],
  ['has another digest', 2 * PART, zero, /must have the SHA-256 .*: write it again/],
])('nothing of a file that %s gets into S3', async (_, bytes, change, message) => {
  const task = makeFile(folder, bytes);
  const before = storedFiles(s3);
  change(task.file);
  await expect(put(s3.client, task)).rejects.toThrow(message);
  await expectMissing(task);
  expect(storedFiles(s3)).toBe(before);
});

test('nothing of a file that shrinks during the upload gets into S3', async () => {
  const task = makeFile(folder, 2 * PART);
  const before = storedFiles(s3);
  const { client } = s3.connect(({ name }) => {
    if (name === 'CreateMultipartUpload') fs.truncateSync(task.file, PART);
  });
  await expect(put(client, task)).rejects.toThrow(/must have the SHA-256 /);
  await expectMissing(task);
  expect(storedFiles(s3)).toBe(before);
});
