import * as fs from 'node:fs';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { uploadAll, type UploadProgress } from '../../../bin/upload';
import { temporaryFolder } from '../../support/temporary-folder';
import { BUCKET, contentOf, makeFile, PART, storedFiles, uploadFixture } from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();
const WHOLE = ['HeadObject', 'PutObject'];
const IN_PARTS = ['HeadObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];

type Stored = ReturnType<typeof makeFile>;

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
  await uploadAll(client, BUCKET, [task]);
  expect(names()).toEqual(requests);
  if (requests === WHOLE) {
    const ChecksumSHA256 = Buffer.from(task.sha256, 'hex').toString('base64');
    expect(calls[1].input).toMatchObject({ ChecksumSHA256 });
  } else {
    expect(partNumbers()).toEqual(Array.from({ length: Math.ceil(bytes / PART) }, (_, part) => part + 1));
    expect(calls[1].input).toMatchObject({ ChecksumAlgorithm: 'CRC32' });
  }
  await expectStored(task);
  const { Metadata } = await s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: task.key }));
  expect(Metadata).toEqual({ sha256: task.sha256 });
});

describe('a file that S3 already has', () => {
  test.each<[string, string | undefined, Record<string, string> | undefined, string[]]>([
    ['needs no metadata', undefined, undefined, ['HeadObject']],
    ['is sent again if the object has another size', 'short', undefined, WHOLE],
    ['is sent again if the object has another digest', 'x'.repeat(10), { sha256: '0'.repeat(64) }, WHOLE],
  ])('%s', async (_, body, Metadata, requests) => {
    const task = makeFile(folder, 10);
    const object = { Bucket: BUCKET, Key: task.key, Body: body ?? task.content, Metadata };
    await s3.client.send(new PutObjectCommand(object));
    const { client, names } = s3.connect();
    await uploadAll(client, BUCKET, [task]);
    expect(names()).toEqual(requests);
    await expectStored(task);
  });
});

describe('several files', () => {
  test('are uploaded together and report their total progress', async () => {
    const sizes = [3, PART + 1, 4, 2 * PART, 700, 5, 6];
    const tasks = sizes.map((bytes) => makeFile(folder, bytes));
    const there = tasks[4];
    await uploadAll(s3.connect().client, BUCKET, [there]);
    const progress: UploadProgress[] = [];
    const { client, calls } = s3.connect();
    await uploadAll(client, BUCKET, tasks, { onProgress: (step) => progress.push(step) });
    for (const task of tasks) await expectStored(task);
    expect(calls.filter(({ input }) => input.Key === there.key)).toHaveLength(1);
    const done = progress.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    const totalBytes = sizes.reduce((sum, bytes) => sum + bytes);
    expect(progress.at(-1)).toEqual({ doneBytes: totalBytes, totalBytes });
  });

  test('with the same key are sent once, and may be none', async () => {
    const task = makeFile(folder, 100);
    const { client, names } = s3.connect();
    await uploadAll(client, BUCKET, [task, { ...task }]);
    await uploadAll(client, BUCKET, []);
    expect(names()).toEqual(WHOLE);
  });
});

test.each(['UploadPart', 'CompleteMultipartUpload'])(
  'an upload that stops because its %s fails leaves no parts, and the next one sends the missing files',
  async (request) => {
    const [small, large] = [makeFile(folder, 10), makeFile(folder, 3 * PART)];
    await uploadAll(s3.connect().client, BUCKET, [small]);
    const before = storedFiles(s3);
    const first = s3.connect(({ name, input }) => {
      if (name === request && (input.PartNumber ?? 2) === 2) throw new Error('the line is cut');
    });
    await expect(uploadAll(first.client, BUCKET, [small, large])).rejects.toThrow('the line is cut');
    expect(first.names()).toContain('AbortMultipartUpload');
    expect(storedFiles(s3)).toBe(before);

    const second = s3.connect();
    await uploadAll(second.client, BUCKET, [small, large]);
    expect(second.calls.filter(({ input }) => input.Key === small.key)).toHaveLength(1);
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
const shrink: Change = (file) => {
  fs.truncateSync(file, PART);
};

test.each<[string, number, string, Change, RegExp]>([
  ['is missing', 10, 'HeadObject', fs.rmSync, /must be readable, got no such file or folder: write it again/],
  ['has another size', 10, 'HeadObject', append, /must have 10 bytes, got 11 bytes: write it again/],
  ['has another digest', 2 * PART, 'HeadObject', zero, /must have the SHA-256 .*: write it again/],
  ['shrinks during the upload', 2 * PART, 'CreateMultipartUpload', shrink, /must have the SHA-256 /],
])('nothing of a file that %s gets into S3', async (_, bytes, request, change, message) => {
  const task = makeFile(folder, bytes);
  const before = storedFiles(s3);
  const { client } = s3.connect(({ name }) => {
    if (name === request) change(task.file);
  });
  await expect(uploadAll(client, BUCKET, [task])).rejects.toThrow(message);
  await expectMissing(task);
  expect(storedFiles(s3)).toBe(before);
});
