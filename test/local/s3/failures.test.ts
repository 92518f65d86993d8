/** The local S3 outlives bad requests, clients that leave, and a disk that fails: it answers, and keeps nothing open. */
import * as fs from 'node:fs';
import * as http from 'node:http';
import { setTimeout } from 'node:timers/promises';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { signedHeaders } from '../../support/signed-request';

const MIB = 1024 * 1024;
const s3 = s3Fixture();

function put(Key: string, Body: Buffer | string) {
  return s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
}

describe('a list of keys to delete', () => {
  it('of more than 8 MiB is refused, and the server goes on', async () => {
    const Objects = Array.from({ length: 100_000 }, (_, index) => ({
      Key: `${'k'.repeat(100)}${index}`,
    }));
    const request = s3.client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    await expect(request).rejects.toMatchObject({
      name: 'MalformedXML',
      $metadata: { httpStatusCode: 400 },
    });
    await put('after-keys', 'x');
  });
});

describe('a failure of the disk', () => {
  it('when a file is created is an internal error', async () => {
    const folder = `${s3.folder}/s3`;
    fs.renameSync(folder, `${folder}-away`);
    try {
      await expect(put('no-folder', Buffer.alloc(4 * MIB))).rejects.toMatchObject({ name: 'InternalError' });
    } finally {
      fs.renameSync(`${folder}-away`, folder);
    }
    await put('no-folder', 'x');
  });

  it('in the middle of a body is an internal error', async () => {
    const { open } = fs.promises;
    const full = jest.spyOn(fs.promises, 'open').mockImplementation(async (...args) => {
      const file = await open(...args);
      file.writeFile = () => Promise.reject(new Error('ENOSPC: no space left on device, write'));
      return file;
    });
    try {
      await expect(put('full', Buffer.alloc(30 * MIB))).rejects.toMatchObject({
        name: 'InternalError',
        message: expect.stringContaining('ENOSPC') as string,
      });
    } finally {
      full.mockRestore();
    }
    const head = s3.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'full' }));
    await expect(head).rejects.toMatchObject({ name: 'NotFound' });
    await put('full', 'x');
    const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'full' }));
    expect(await Body?.transformToString()).toBe('x');
  });
});

/** The open files of the store, which this process holds. */
function openFiles(): string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
      return file.startsWith(s3.folder) ? [file] : [];
    } catch {
      // The descriptor of the folder itself is closed again.
      return [];
    }
  });
}

async function allClosed(): Promise<string[]> {
  let open = openFiles();
  for (let attempt = 0; open.length > 0 && attempt < 200; attempt++) {
    await setTimeout(10);
    open = openFiles();
  }
  return open;
}

/** Reads the first bytes of an object and closes the connection. */
async function abortDownload(key: string): Promise<void> {
  const { host, hostname, port } = new URL(s3.server.endpoint);
  const path = `/${BUCKET}/${key}`;
  const headers = await signedHeaders({ method: 'GET', path, host }, { credentials: s3.credentials });
  await new Promise<void>((resolve, reject) => {
    const request = http.get({ hostname, port, path, headers, agent: false }, (response) => {
      response.once('data', () => response.destroy()).once('close', resolve);
      response.on('error', () => undefined);
    });
    request.on('error', reject);
  });
}

// Only Linux lists the descriptors of a process there.
const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('no file stays open', () => {
  beforeAll(() => put('large', Buffer.alloc(32 * MIB)));

  it('after clients abort downloads', async () => {
    await Promise.all(Array.from({ length: 20 }, () => abortDownload('large')));
    expect(await allClosed()).toEqual([]);
  });

  it('after copies that are refused', async () => {
    const CopySource = `${BUCKET}/large`;
    const copy = (to: { Bucket: string; Key: string; IfMatch?: string; IfNoneMatch?: string }) =>
      s3.client.send(new CopyObjectCommand({ CopySource, ...to }));
    await put('there', 'x');
    const key = 'k'.repeat(1025);
    await expect(copy({ Bucket: BUCKET, Key: key })).rejects.toMatchObject({ name: 'KeyTooLongError' });
    await expect(copy({ Bucket: BUCKET, Key: 'there', IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await allClosed()).toEqual([]);
  });

  it('after copies that the disk refuses', async () => {
    const at = { Bucket: BUCKET, Key: 'parts' };
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand(at));
    const CopySource = `${BUCKET}/large`;
    const full = jest.spyOn(fs.promises, 'open').mockRejectedValue(new Error('ENOSPC'));
    try {
      const part = new UploadPartCopyCommand({ ...at, UploadId, PartNumber: 1, CopySource });
      await expect(s3.client.send(part)).rejects.toMatchObject({ name: 'InternalError' });
      const whole = new CopyObjectCommand({ ...at, CopySource });
      await expect(s3.client.send(whole)).rejects.toMatchObject({ name: 'InternalError' });
    } finally {
      full.mockRestore();
    }
    expect(await allClosed()).toEqual([]);
  });
});
