import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import { ObjectChanged, ObjectUnavailable } from '../../../lambda/store/object-store';
import { S3ObjectStore } from '../../../lambda/store/s3';
import { functionS3Client } from '../../../lambda/store/s3-client';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { TensorStore } from '../../../lambda/store/tensor-store';
import { Callers } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import { comparable } from '../../support/arbitrary-tensors';

describe('the tensor store through the AWS SDK', () => {
  const environment = { ...process.env };
  let folder: string;
  let server: S3Server;
  let client: S3Client;
  let objects: S3ObjectStore;
  let store: TensorStore;

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
    store = new TensorStore(objects, 'pipeline');
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

  it('reads what it wrote, by ranges', async () => {
    expect((await store.write('a', tensors)).result).toBe('written');
    const reader = await store.open('a');
    expect(comparable(await reader.read(['small', 'large']))).toEqual(comparable(tensors));
  });

  it('uses one connection again and again, as each takes a handshake', async () => {
    const connect = jest.spyOn(Socket.prototype, 'connect');
    for (let time = 0; time < 5; time++) {
      await (await store.open('a')).read(['small', 'large']);
      await store.write(`d${time}`, tensors);
    }
    // One more at most, where the one from before was given up meanwhile.
    expect(connect.mock.calls.length).toBeLessThanOrEqual(1);
    connect.mockRestore();
  });

  it('leaves what is there', async () => {
    await store.write('b', new Map());
    expect((await store.write('b', tensors)).result).toBe('present');
    expect((await store.open('b')).heads.size).toBe(0);
  });

  it('leaves what is there, also where it is refused while much is still to be sent', async () => {
    const bytes = new Uint8Array(32_000_000);
    const large = new Map([['x', { dtype: 'uint8', shape: [bytes.byteLength], bytes } as const]]);
    expect((await store.write('large', large)).result).toBe('written');
    for (let time = 0; time < 3; time++) expect((await store.write('large', large)).result).toBe('present');
  });

  it('finds nothing where nothing is', async () => {
    await expect(store.open('none')).rejects.toThrow(ObjectUnavailable);
  });

  it('finds an empty object to be no safetensors file', async () => {
    await objects.putIfAbsent(store.reference('empty'), []);
    await expect(store.open('empty')).rejects.toThrow(SafetensorsError);
  });

  it('notices that an object is no longer the one that it opened', async () => {
    await store.write('c', tensors);
    const read = objects.get(
      store.reference('c'),
      { start: 0, end: 1 },
      '"0123456789abcdef0123456789abcdef"',
    );
    await expect(read).rejects.toThrow(ObjectChanged);
  });
});
