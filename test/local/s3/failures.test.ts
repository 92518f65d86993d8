/** The local S3 outlives bad requests, clients that leave, and a disk that fails: it answers, and keeps nothing open. */
import * as fs from 'node:fs';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';

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
