/** An S3 with limited speed returns the same responses, only later. The benchmarks measure how much later. */
import { Socket } from 'node:net';
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
const SIMULATION = {
  network: { connectionBytesPerSecond: 200e6, functionBytesPerSecond: 300e6 },
  storage: { standard: { get: [[50, 1]], put: [[50, 1]], openForGetMs: 1, openForPutMs: 1 } },
} as const;

test('limited traffic sends and receives the same bytes', async () => {
  const store = new DiskObjectStore(path.join(folder, 's3'));
  store.createBucket(BUCKET);
  const callers = new Callers();
  const credentials = callers.add({ traffic: new Traffic(SIMULATION, () => 0.5) });
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

describe('the first request of a connection', () => {
  const GET = { store: 'standard', operation: 'get' } as const;
  const storage = {
    standard: { get: [[50, 20]], put: [[50, 30]], openForGetMs: 40, openForPutMs: 45 },
  } as const;
  let traffic: Traffic;
  beforeEach(() => {
    traffic = new Traffic({ storage }, () => 0.5);
  });

  it('waits until the connection is open; further ones do not', () => {
    const request = { ...GET, socket: new Socket(), openedAt: 100 };
    expect(traffic.firstByteMs(request, 100)).toBe(40 + 20);
    expect(traffic.firstByteMs(request, 200)).toBe(20);
    expect(traffic.firstByteMs({ ...request, operation: 'put' }, 300)).toBe(30);
  });

  it('waits less if the connection was opened before', () => {
    expect(traffic.firstByteMs({ ...GET, socket: new Socket(), openedAt: 100 }, 130)).toBe(10 + 20);
    expect(traffic.firstByteMs({ ...GET, socket: new Socket(), openedAt: 100 }, 900)).toBe(20);
  });

  it('waits again after the sandbox stood still, whatever the age of the connection', () => {
    const request = { ...GET, socket: new Socket(), openedAt: 100 };
    traffic.firstByteMs(request, 100);
    traffic.freeze(500);
    expect(traffic.firstByteMs(request, 900)).toBe(40 + 20);
    expect(traffic.firstByteMs(request, 1000)).toBe(20);
  });

  it('counts the time since a connection was opened after the sandbox stood still', () => {
    traffic.freeze(500);
    expect(traffic.firstByteMs({ ...GET, operation: 'put', socket: new Socket(), openedAt: 880 }, 900)).toBe(
      25 + 30,
    );
  });
});
