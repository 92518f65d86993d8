import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import { ObjectChanged, ObjectUnavailable } from '../../../lambda/store/object-store';
import { S3ObjectStore } from '../../../lambda/store/s3';
import { functionS3Client } from '../../../lambda/store/s3-client';
import { SafetensorsStore } from '../../../lambda/store/safetensors-store';
import { SafetensorsError } from '../../../lambda/tensors/safetensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { useS3 } from '../../support/answering-server';
import { comparable } from '../../support/arbitrary-tensors';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';

const object = { bucket: 'b', key: 'k' };
const RANGE = { start: 0, end: 1 };

function failed(status: number, name = 'E'): S3ServiceException {
  return new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode: status } });
}

/** A store whose client returns the answers one after another and records the commands. */
function answering(...answers: unknown[]) {
  const sent: { Body: Readable }[] = [];
  const client = {
    send: (command: { input: { Body: Readable } }) => {
      sent.push(command.input);
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const clock = { now: () => 0, pause: () => Promise.resolve() };
  return { store: new S3ObjectStore(client as unknown as S3Client, undefined, { clock }), sent };
}

it.each<[status: number, kind: object, words: string, name?: string]>([
  [403, ObjectUnavailable, 's3://b/k is missing or not permitted'],
  [412, ObjectChanged, 's3://b/k was replaced'],
  [400, S3ServiceException, ''],
  [400, ObjectUnavailable, 's3://b/k cannot be decrypted: InvalidRequest', 'InvalidRequest'],
  [400, ObjectUnavailable, 's3://b/k cannot be decrypted: KMS.DisabledException', 'KMS.DisabledException'],
])('reading from S3 fails once for status %i', async (...[status, kind, words, name]) => {
  const { store, sent } = answering(failed(status, name), {});
  const read = store.get(object, RANGE, 'v');
  await expect(read).rejects.toBeInstanceOf(kind);
  await expect(read).rejects.toThrow(words);
  expect(sent).toHaveLength(1);
});

describe('writing to S3', () => {
  const body = [Uint8Array.of(1, 2), Uint8Array.of(3)];

  it.each([
    failed(503),
    new Error('socket hang up'),
    // While another write is in progress.
    failed(409),
  ])('repeats a write from the start after %p', async (failure) => {
    const { store, sent } = answering(failure, failure, {});
    expect(await store.write(object, body, 0x55bc801d)).toBe(true);
    const bodies = await Promise.all(sent.map(({ Body }) => buffer(Body)));
    expect(bodies.map((bytes) => bytes.byteLength)).toEqual([3, 3, 3]);
  });

  it('does not repeat a write that S3 refuses, and says which it may not write', async () => {
    const { store, sent } = answering(failed(400), failed(403), failed(403));
    const write = () => store.write(object, body, 0x55bc801d);
    await expect(write()).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    await expect(write()).rejects.toThrow(ObjectUnavailable);
    await expect(write()).rejects.toThrow(
      's3://b/k cannot be written: check the permissions of the function',
    );
    expect(sent).toHaveLength(3);
  });
});

describe('the safetensors store through the AWS SDK', () => {
  const environment = { ...process.env };
  const s3 = s3Fixture();
  let client: S3Client;
  let objects: S3ObjectStore;
  let store: SafetensorsStore;

  beforeAll(() => {
    useS3(s3.server.endpoint, s3.credentials);
    client = functionS3Client();
    objects = new S3ObjectStore(client);
    store = new SafetensorsStore(objects, BUCKET);
  });
  afterAll(() => {
    client.destroy();
    process.env = environment;
  });

  const tensors = new Map<string, RawTensor>([
    ['large', { dtype: 'uint8', shape: [500_000], bytes: new Uint8Array(500_000).fill(3) }],
    ['small', { dtype: 'int64', shape: [1], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
  ]);

  it('reads the tensors that it wrote, over one connection', async () => {
    expect(await store.write('a', tensors)).toBeGreaterThan(0);
    const connect = jest.spyOn(Socket.prototype, 'connect');
    for (let time = 0; time < 5; time++) {
      const read = await (await store.open('a')).read(['small', 'large']);
      expect(comparable(read)).toEqual(comparable(tensors));
      await store.write(`d${time}`, tensors);
    }
    // One new connection at most, if the earlier one was closed meanwhile.
    expect(connect.mock.calls.length).toBeLessThanOrEqual(1);
    connect.mockRestore();
  });

  it('does not overwrite an object, even if S3 refuses a large body early', async () => {
    const bytes = new Uint8Array(32_000_000);
    const large = new Map([['x', { dtype: 'uint8', shape: [bytes.byteLength], bytes } as const]]);
    await store.write('b', new Map());
    for (let time = 0; time < 3; time++) expect(await store.write('b', large)).toBe(0);
    expect((await store.open('b')).heads.size).toBe(0);
    const { version } = await objects.get(store.reference('b'), RANGE);
    expect(await objects.write(store.reference('b'), [], 0, '"0"')).toBe(false);
    expect(await objects.write(store.reference('b'), [], 0, version)).toBe(true);
  });

  it('throws an error by name for an object that is missing, empty, or replaced', async () => {
    await expect(store.open('none')).rejects.toThrow(ObjectUnavailable);
    await objects.write(store.reference('empty'), [], 0);
    await expect(store.open('empty')).rejects.toThrow(SafetensorsError);
    await store.write('c', tensors);
    const changed = objects.get(store.reference('c'), RANGE, '"0123456789abcdef0123456789abcdef"');
    await expect(changed).rejects.toThrow(ObjectChanged);
  });
});
