import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { uploadAll, uploadText, type UploadProgress } from '../../../bin/upload';
import { temporaryFolder } from '../../support/temporary-folder';
import {
  BUCKET,
  contentOf,
  makeFile,
  metadataOf,
  openUploads,
  PART,
  uploadFile,
  uploadFixture,
} from '../../support/upload-fixture';

const s3 = uploadFixture();
const folder = temporaryFolder();
const options = { partBytes: PART };

describe('a small file', () => {
  test('is sent as one object with its digest', async () => {
    const task = makeFile(folder, 1000);
    const { client, names, calls } = s3.connect();
    expect(await uploadFile(client, BUCKET, task)).toBe('uploaded');
    expect(names()).toEqual(['HeadObject', 'PutObject']);
    expect(calls[1].input).toMatchObject({
      ChecksumSHA256: Buffer.from(task.sha256, 'hex').toString('base64'),
    });
    expect(await contentOf(s3.client, task.key)).toEqual(task.content);
    expect(await metadataOf(s3.client, task.key)).toEqual({ sha256: task.sha256 });
  });

  test.each([0, 1, PART])('may have %d bytes', async (bytes) => {
    const task = makeFile(folder, bytes);
    const { client, names } = s3.connect();
    expect(await uploadFile(client, BUCKET, task, options)).toBe('uploaded');
    expect(names()).toEqual(['HeadObject', 'PutObject']);
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  });
});

describe('a large file', () => {
  test('is sent in parts with its digest', async () => {
    const task = makeFile(folder, 2 * PART + 1);
    const { client, names, partNumbers } = s3.connect();
    expect(await uploadFile(client, BUCKET, task, options)).toBe('uploaded');
    expect(names()).toEqual([
      'HeadObject',
      'ListMultipartUploads',
      'CreateMultipartUpload',
      'UploadPart',
      'CompleteMultipartUpload',
    ]);
    expect(partNumbers()).toEqual([1, 2, 3]);
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
    expect(await metadataOf(s3.client, task.key)).toEqual({ sha256: task.sha256 });
  });

  test('has at most eight parts in flight', async () => {
    const task = makeFile(folder, 12 * PART);
    let [inFlight, most] = [0, 0];
    const { client } = s3.connect();
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== 'UploadPartCommand') return next(args);
        most = Math.max(most, ++inFlight);
        return next(args).finally(() => inFlight--);
      },
      { step: 'build' },
    );
    await uploadFile(client, BUCKET, task, options);
    expect(most).toBe(8);
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  });
});

describe('a file that S3 already has', () => {
  test.each([1000, 2 * PART + 1])('is not sent again (%d bytes)', async (bytes) => {
    const task = makeFile(folder, bytes);
    await uploadFile(s3.connect().client, BUCKET, task, options);
    const { client, names } = s3.connect();
    expect(await uploadFile(client, BUCKET, task, options)).toBe('present');
    expect(names()).toEqual(['HeadObject']);
  });

  test('needs no metadata', async () => {
    const task = makeFile(folder, 10);
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: task.key, Body: task.content }));
    expect(await uploadFile(s3.connect().client, BUCKET, task)).toBe('present');
  });

  test.each([
    ['size', 'short', undefined],
    ['digest', 'x'.repeat(10), { sha256: '0'.repeat(64) }],
  ])('is sent again if the object has another %s', async (_, Body, Metadata) => {
    const task = makeFile(folder, 10);
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: task.key, Body, Metadata }));
    expect(await uploadFile(s3.connect().client, BUCKET, task)).toBe('uploaded');
    expect(await contentOf(s3.client, task.key)).toEqual(task.content);
  });
});

describe('an interrupted upload', () => {
  /** A client that fails at one part, as if the connection broke there. */
  function failingAt(part: number) {
    return s3.connect(({ name, input }) => {
      if (name === 'UploadPart' && input.PartNumber === part) throw new Error('the line is cut');
    });
  }

  test('stays in the bucket, and the next upload sends only the missing parts', async () => {
    const task = makeFile(folder, 3 * PART + 1);
    const first = failingAt(2);
    await expect(uploadFile(first.client, BUCKET, task, options)).rejects.toThrow('the line is cut');
    expect(await openUploads(s3.client)).toEqual([task.key]);
    const sent = first.partNumbers().filter((part) => part !== 2);
    expect(sent).not.toEqual([]);

    const progress: UploadProgress[] = [];
    const second = s3.connect();
    const onProgress = (step: UploadProgress) => progress.push(step);
    expect(await uploadFile(second.client, BUCKET, task, { ...options, onProgress })).toBe('resumed');
    expect(second.partNumbers()).toEqual([1, 2, 3, 4].filter((part) => !sent.includes(part)));
    expect(second.names()).not.toContain('CreateMultipartUpload');
    expect(progress.at(-1)).toEqual({ doneBytes: task.bytes, totalBytes: task.bytes });
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
    expect(await metadataOf(s3.client, task.key)).toEqual({ sha256: task.sha256 });
    expect(await openUploads(s3.client)).toEqual([]);
  });

  test('sends no part again if only its completion failed', async () => {
    const task = makeFile(folder, 2 * PART);
    const first = s3.connect(({ name }) => {
      if (name === 'CompleteMultipartUpload') throw new Error('the line is cut');
    });
    await expect(uploadFile(first.client, BUCKET, task, options)).rejects.toThrow('the line is cut');
    const second = s3.connect();
    expect(await uploadFile(second.client, BUCKET, task, options)).toBe('resumed');
    expect(second.partNumbers()).toEqual([]);
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  });

  test('sends parts of another size or content again', async () => {
    const task = makeFile(folder, 3 * PART + 1);
    const { UploadId } = await s3.client.send(
      new CreateMultipartUploadCommand({
        Bucket: BUCKET,
        Key: task.key,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      }),
    );
    const bodies = [task.content.subarray(0, PART), task.content.subarray(PART, -1), Buffer.alloc(PART)];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      await s3.client.send(
        new UploadPartCommand({ Bucket: BUCKET, Key: task.key, UploadId, PartNumber, Body }),
      );
    }
    const { client, partNumbers } = s3.connect();
    expect(await uploadFile(client, BUCKET, task, options)).toBe('resumed');
    expect(partNumbers()).toEqual([2, 3, 4]);
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  });

  test('is chosen by its number of usable parts, and ignored if it has other checksums or another key', async () => {
    const task = makeFile(folder, 2 * PART);
    const ours = { Bucket: BUCKET, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
    const begin = async (more: Partial<CreateMultipartUploadCommand['input']>, parts: number) => {
      const at = { Bucket: BUCKET, Key: task.key, ...more };
      const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ ...ours, ...at }));
      for (let PartNumber = 1; PartNumber <= parts; PartNumber++) {
        const Body = task.content.subarray((PartNumber - 1) * PART, PartNumber * PART);
        await s3.client.send(
          new UploadPartCommand({ Bucket: at.Bucket, Key: at.Key, UploadId, PartNumber, Body }),
        );
      }
      return UploadId;
    };
    await begin({}, 0);
    const most = await begin({}, 1);
    await begin({ ChecksumType: 'COMPOSITE' }, 2);
    await begin({ Key: `${task.key}.other` }, 2);
    const { client, calls, partNumbers } = s3.connect();
    expect(await uploadFile(client, BUCKET, task, options)).toBe('resumed');
    expect(partNumbers()).toEqual([2]);
    expect(calls.find(({ name }) => name === 'UploadPart')?.input.UploadId).toBe(most);
  });

  test('counts as present if another process completes it first', async () => {
    const task = makeFile(folder, 2 * PART);
    const other = s3.connect();
    const { client } = s3.connect(async ({ name }) => {
      if (name !== 'CompleteMultipartUpload') return;
      expect(await uploadFile(other.client, BUCKET, task, options)).toBe('resumed');
    });
    expect(await uploadFile(client, BUCKET, task, options)).toBe('present');
    expect((await contentOf(s3.client, task.key)).equals(task.content)).toBe(true);
  });
});

test('an upload that someone removes fails, and the next one starts over', async () => {
  const task = makeFile(folder, 2 * PART);
  const { client } = s3.connect(async ({ name, input }) => {
    if (name !== 'CompleteMultipartUpload') return;
    const { UploadId } = input as { readonly UploadId?: string };
    await s3.client.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: task.key, UploadId }));
  });
  await expect(uploadFile(client, BUCKET, task, options)).rejects.toThrow(
    `the upload of s3://the-bucket/${task.key} must exist until it is complete, got an upload that someone else removed: ` +
      'check the lifecycle rules of the bucket and run the command again',
  );
  expect(await uploadFile(s3.connect().client, BUCKET, task, options)).toBe('uploaded');
});

describe('several files', () => {
  test('are uploaded together and report their total progress', async () => {
    const sizes = [3, PART + 1, 4, 2 * PART, 700, 5, 6, 7, 8, 9, 10];
    const tasks = sizes.map((bytes) => makeFile(folder, bytes));
    await uploadFile(s3.connect().client, BUCKET, tasks[4]);
    const progress: UploadProgress[] = [];
    const { client } = s3.connect();
    const onProgress = (step: UploadProgress) => progress.push(step);
    const outcomes = await uploadAll(client, BUCKET, tasks, { ...options, onProgress });
    expect(outcomes).toEqual(sizes.map((bytes) => (bytes === 700 ? 'present' : 'uploaded')));
    for (const { key, content } of tasks) {
      expect((await contentOf(s3.client, key)).equals(content)).toBe(true);
    }
    const done = progress.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    const totalBytes = sizes.reduce((sum, bytes) => sum + bytes);
    expect(progress.at(-1)).toEqual({ doneBytes: totalBytes, totalBytes });
  });

  test('with the same key are sent once', async () => {
    const task = makeFile(folder, 100);
    const { client, names } = s3.connect();
    expect(await uploadAll(client, BUCKET, [task, { ...task }])).toEqual(['uploaded', 'uploaded']);
    expect(names()).toEqual(['HeadObject', 'PutObject']);
  });

  test('stop at the first failure, after the requests in flight', async () => {
    const tasks = Array.from({ length: 20 }, () => makeFile(folder, 10));
    let inFlight = 0;
    const { client, calls } = s3.connect(({ name, input }) => {
      if (name === 'PutObject' && input.Key === tasks[2].key) throw new Error('the line is cut');
    });
    client.middlewareStack.add(
      (next) => (args) => {
        inFlight++;
        return next(args).finally(() => inFlight--);
      },
      { step: 'build' },
    );
    await expect(uploadAll(client, BUCKET, tasks)).rejects.toThrow('the line is cut');
    expect(inFlight).toBe(0);
    expect(calls.length).toBeLessThan(40);
  });

  test('may be an empty list', async () => {
    expect(await uploadAll(s3.connect().client, BUCKET, [])).toEqual([]);
  });
});

describe('a file is refused', () => {
  const missing = path.join(folder, 'missing');

  test('because it is missing', async () => {
    const task = { ...makeFile(folder, 10), file: missing };
    await expect(uploadFile(s3.connect().client, BUCKET, task)).rejects.toThrow(
      `file '${missing}' must be readable, got no such file or folder: ` +
        'write it again and do not change it during the upload',
    );
  });

  test('because it has another size', async () => {
    const task = makeFile(folder, 10);
    fs.appendFileSync(task.file, 'x');
    await expect(uploadFile(s3.connect().client, BUCKET, task)).rejects.toThrow(
      /must have 10 bytes, got 11 bytes: write it again/,
    );
  });

  test.each([
    [
      'grows',
      (file: string) => {
        fs.appendFileSync(file, 'x');
      },
    ],
    [
      'shrinks',
      (file: string) => {
        fs.truncateSync(file, PART);
      },
    ],
    [
      'is touched',
      (file: string) => {
        fs.utimesSync(file, 1, 1);
      },
    ],
  ])('because it %s during the upload', async (_, change) => {
    const task = makeFile(folder, 2 * PART);
    const { client } = s3.connect(({ name }) => {
      if (name === 'CreateMultipartUpload') change(task.file);
    });
    await expect(uploadFile(client, BUCKET, task, options)).rejects.toThrow(
      /must not change during the upload, got another size or modification time: write it again/,
    );
    await expect(contentOf(s3.client, task.key)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([10, 2 * PART])('because it has another digest (%d bytes)', async (bytes) => {
    const task = makeFile(folder, bytes);
    fs.writeFileSync(task.file, Buffer.alloc(bytes));
    await expect(uploadFile(s3.connect().client, BUCKET, task, options)).rejects.toThrow(
      new RegExp(`must have the SHA-256 ${task.sha256}, got [0-9a-f]{64}: write it again`),
    );
    await expect(contentOf(s3.client, task.key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await openUploads(s3.client)).not.toContain(task.key);
  });

  test('because its key does not contain its digest, or also identifies another file', async () => {
    const [a, b] = [makeFile(folder, 10), makeFile(folder, 20)];
    const { client, calls } = s3.connect();
    await expect(uploadFile(client, BUCKET, { ...a, key: 'a' })).rejects.toThrow(
      /must contain the file's SHA-256/,
    );
    const both = `${a.sha256}-${b.sha256}`;
    const twice = uploadAll(client, BUCKET, [
      { ...a, key: both },
      { ...b, key: both },
    ]);
    await expect(twice).rejects.toThrow(/must identify one content/);
    expect(calls).toEqual([]);
  });
});

test.each([10, 2 * PART])('%d bytes that are damaged in transit are refused', async (bytes) => {
  const task = makeFile(folder, bytes);
  const { client } = s3.connect();
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body?: unknown };
      // After the SDK has computed its own checksums.
      if (Buffer.isBuffer(request.body)) request.body = Buffer.alloc(request.body.length);
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await expect(uploadFile(client, BUCKET, task, options)).rejects.toThrow(
    /the bytes for s3:\/\/the-bucket\/models\/.* must arrive unchanged, got (BadDigest|XAmzContentSHA256Mismatch) .*: run the command again/,
  );
  await expect(contentOf(s3.client, task.key)).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('a KMS key encrypts all new objects', async () => {
  const { client, calls } = s3.connect();
  const tasks = [makeFile(folder, 10), makeFile(folder, 2 * PART)];
  await uploadAll(client, BUCKET, tasks, { ...options, kmsKeyId: 'alias/mine' });
  await uploadText(client, BUCKET, 'encrypted.json', '{}', { kmsKeyId: 'alias/mine' });
  const begun = calls.filter(({ name }) => name === 'PutObject' || name === 'CreateMultipartUpload');
  expect(begun).toHaveLength(3);
  for (const { input } of begun) {
    expect(input).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/mine' });
  }
});

test('a text replaces the object of an earlier text', async () => {
  const { client } = s3.connect();
  await uploadText(client, BUCKET, 'plan.json', '{"ä":1}');
  await uploadText(client, BUCKET, 'plan.json', '{"ä":2}');
  expect((await contentOf(s3.client, 'plan.json')).toString()).toBe('{"ä":2}');
  const { ContentType } = await s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'plan.json' }));
  expect(ContentType).toBe('application/json');
});
