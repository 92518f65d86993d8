import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { ObjectChanged, ObjectUnavailable } from '../../../lambda/store/object-store';
import { S3ObjectStore } from '../../../lambda/store/s3';
import { functionS3Client } from '../../../lambda/store/s3-client';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { comparable } from '../../support/arbitrary-tensors';

describe('the safetensors store through the AWS SDK', () => {
  const environment = { ...process.env };
  let folder: string;
  let server: S3Server;
  let client: S3Client;
  let objects: S3ObjectStore;
  let store: SafetensorsStore;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 's3-'));
    const served = new DiskObjectStore(folder);
    served.createBucket('pipeline');
    const callers = new Callers();
    server = await S3Server.start(served, callers);
    const { accessKeyId, secretAccessKey } = callers.add();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    });
    client = functionS3Client();
    objects = new S3ObjectStore(client);
    store = new SafetensorsStore(objects, 'pipeline');
  });

  afterAll(async () => {
    client.destroy();
    process.env = environment;
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const tensors = new Map<string, RawTensor>([
    ['large', { dtype: 'uint8', shape: [500_000], bytes: new Uint8Array(500_000).fill(3) }],
    ['small', { dtype: 'int64', shape: [1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
  ]);

  it('reads the tensors that it wrote', async () => {
    expect((await store.write('a', tensors)).result).toBe('written');
    const reader = await store.open('a');
    expect(comparable(await reader.read(['small', 'large']))).toEqual(comparable(tensors));
  });

  it('reuses one connection', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    for (let time = 0; time < 5; time++) {
      await (await store.open('a')).read(['small', 'large']);
      await store.write(`d${time}`, tensors);
    }
    // One new connection at most, if the earlier one was closed meanwhile.
    expect(connect.mock.calls.length).toBeLessThanOrEqual(1);
    connect.mockRestore();
  });

  it('does not overwrite an object', async () => {
    await store.write('b', new Map());
    expect((await store.write('b', tensors)).result).toBe('present');
    expect((await store.open('b')).heads.size).toBe(0);
  });

  it('does not overwrite an object if S3 refuses a large body early', async () => {
    const bytes = new Uint8Array(32_000_000);
    const large = new Map([['x', { dtype: 'uint8', shape: [bytes.byteLength], bytes } as const]]);
    expect((await store.write('large', large)).result).toBe('written');
    for (let time = 0; time < 3; time++) expect((await store.write('large', large)).result).toBe('present');
  });

  it('throws ObjectUnavailable for a missing object', async () => {
    await expect(store.open('none')).rejects.toThrow(ObjectUnavailable);
  });

  it('throws SafetensorsError for an empty object', async () => {
    await objects.putIfAbsent(store.reference('empty'), [], 0);
    await expect(store.open('empty')).rejects.toThrow(SafetensorsError);
  });

  it('throws ObjectChanged if the object was replaced after it was opened', async () => {
    await store.write('c', tensors);
    const read = objects.get(
      store.reference('c'),
      { start: 0, end: 1 },
      '"0123456789abcdef0123456789abcdef"',
    );
    await expect(read).rejects.toThrow(ObjectChanged);
  });
});
