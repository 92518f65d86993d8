/** An S3 with limited speed returns the same responses, only later. The benchmarks measure how much later. */
import * as path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { Traffic } from '../../../local/simulation/traffic';
import { temporaryFolder } from '../../support/temporary-folder';

const BUCKET = 'the-bucket';
const folder = temporaryFolder();
const SHAPE = { firstByteMs: 1, connectionBytesPerSecond: 200e6, functionBytesPerSecond: 300e6 };

test('limited traffic sends and receives the same bytes', async () => {
  const store = new DiskObjectStore(path.join(folder, 's3'));
  store.createBucket(BUCKET);
  const callers = new Callers();
  const credentials = callers.add({ traffic: new Traffic(SHAPE) });
  const server = await S3Server.start(store, callers);
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
  try {
    const body = Buffer.alloc(1_000_003, 'some bytes');
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: body }));
    const read = async (Range?: string): Promise<Buffer> => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a', Range }));
      return await buffer(Body as Readable);
    };
    expect((await read()).equals(body)).toBe(true);
    const parts = await Promise.all([read('bytes=0-499999'), read('bytes=500000-1000002')]);
    expect(Buffer.concat(parts).equals(body)).toBe(true);
    callers.remove(credentials);
    await expect(read()).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  } finally {
    client.destroy();
    await server.close();
  }
});
