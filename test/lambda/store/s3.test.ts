import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import { ObjectChanged, ObjectUnavailable } from '../../../lambda/store/object-store';
import { S3ObjectStore } from '../../../lambda/store/s3';

const object = { bucket: 'b', key: 'k' };

function failed(status: number): S3ServiceException {
  return new S3ServiceException({ name: 'E', $fault: 'client', $metadata: { httpStatusCode: status } });
}

/** A client that returns the answers one after another and records the commands. */
function answering(...answers: unknown[]) {
  const sent: unknown[] = [];
  const client = {
    send: (command: { input: unknown }) => {
      sent.push(command.input);
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const clock = { now: () => 0, pause: () => Promise.resolve() };
  return { store: new S3ObjectStore(client as unknown as S3Client, undefined, { clock }), sent };
}

describe('reading from S3', () => {
  it('requests the range and the version, and returns the size of the whole object', async () => {
    const { store, sent } = answering({ ContentRange: 'bytes 5-9/1234', ETag: '"e"', Body: [] });
    expect(await store.get(object, { start: 5, end: 10 }, '"e"')).toMatchObject({
      size: 1234,
      version: '"e"',
    });
    expect(sent).toEqual([{ Bucket: 'b', Key: 'k', Range: 'bytes=5-9', IfMatch: '"e"' }]);
  });

  it.each([403, 404])('throws ObjectUnavailable for status %i', async (status) => {
    const read = answering(failed(status)).store.get(object, { start: 0, end: 1 });
    await expect(read).rejects.toThrow(ObjectUnavailable);
    await expect(read).rejects.toThrow('s3://b/k is missing or not permitted');
  });

  it('throws ObjectChanged if the object was replaced', async () => {
    await expect(answering(failed(412)).store.get(object, { start: 0, end: 1 }, 'v')).rejects.toThrow(
      ObjectChanged,
    );
  });

  it('returns size 0 for an empty object', async () => {
    expect(await answering(failed(416)).store.get(object, { start: 0, end: 1 })).toMatchObject({ size: 0 });
  });

  it('repeats a read that S3 throttles', async () => {
    const { store, sent } = answering(failed(503), failed(503), { ContentRange: 'bytes 0-0/1', Body: [] });
    expect(await store.get(object, { start: 0, end: 1 })).toMatchObject({ size: 1 });
    expect(sent).toHaveLength(3);
  });

  it('does not repeat a read that S3 refuses', async () => {
    const { store, sent } = answering(failed(400), {});
    await expect(store.get(object, { start: 0, end: 1 })).rejects.toThrow(S3ServiceException);
    expect(sent).toHaveLength(1);
  });
});

describe('writing to S3', () => {
  const body = [Uint8Array.of(1, 2), Uint8Array.of(3)];

  it('sends the concatenated parts with their checksum, on condition that the object does not exist', async () => {
    const { store, sent } = answering({});
    expect(await store.putIfAbsent(object, body, 0x55bc801d)).toBe('written');
    const [{ Body, ...input }] = sent as { Body: Readable }[];
    // The CRC32 of the bytes 1, 2, 3 is 0x55bc801d.
    expect(input).toEqual({
      Bucket: 'b',
      Key: 'k',
      IfNoneMatch: '*',
      ContentLength: 3,
      ChecksumCRC32: 'VbyAHQ==',
    });
    expect([...(await buffer(Body))]).toEqual([1, 2, 3]);
  });

  it('sends a long part in pieces of at most 1 MiB, without copying it', async () => {
    const { store, sent } = answering(failed(503), {});
    const long = randomBytes(2 * 1024 * 1024 + 3);
    await store.putIfAbsent(object, [Uint8Array.of(7), long], 0);
    expect(sent).toHaveLength(2);
    for (const { Body } of sent as { Body: Readable }[]) {
      const pieces = (await Body.toArray()) as Uint8Array[];
      expect(pieces.map(({ byteLength }) => byteLength)).toEqual([1, 1024 * 1024, 1024 * 1024, 3]);
      expect(pieces.slice(1).every(({ buffer: memory }) => memory === long.buffer)).toBe(true);
      expect(Buffer.concat(pieces.slice(1)).equals(long)).toBe(true);
    }
  });

  it.each<[string, Error]>([
    ['that S3 throttles', failed(503)],
    ['whose connection broke', new Error('socket hang up')],
  ])('retries a write %s, from the start', async (_, failure) => {
    const { store, sent } = answering(failure, {});
    expect(await store.putIfAbsent(object, body, 0x55bc801d)).toBe('written');
    const bodies = (sent as { Body: Readable }[]).map(({ Body }) => buffer(Body));
    expect((await Promise.all(bodies)).map((bytes) => bytes.byteLength)).toEqual([3, 3]);
  });

  it.each(['RequestTimeout', 'BadDigest'])(
    'retries a write that fails with %s, a temporary failure of status 400',
    async (name) => {
      const temporary = new S3ServiceException({
        name,
        $fault: 'client',
        $metadata: { httpStatusCode: 400 },
      });
      const { store, sent } = answering(temporary, {});
      expect(await store.putIfAbsent(object, body, 0x55bc801d)).toBe('written');
      expect(sent).toHaveLength(2);
    },
  );

  it('does not retry a write that S3 refuses', async () => {
    const { store, sent } = answering(failed(400));
    await expect(store.putIfAbsent(object, body, 0x55bc801d)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
    expect(sent).toHaveLength(1);
  });

  it('does not overwrite an object', async () => {
    expect(await answering(failed(412)).store.putIfAbsent(object, body, 0x55bc801d)).toBe('present');
  });

  it('retries while another write is in progress', async () => {
    const { store } = answering(failed(409), failed(409), {});
    expect(await store.putIfAbsent(object, body, 0x55bc801d)).toBe('written');
  });

  it('sends no condition without a version, which an empty object has', async () => {
    const { store, sent } = answering({});
    expect(await store.replace(object, [Buffer.from('x')], 0, '')).toBe('changed');
    expect(sent).toEqual([]);
  });

  it('throws ObjectUnavailable if the write is not permitted', async () => {
    const written = answering(failed(403)).store.putIfAbsent(object, body, 0x55bc801d);
    await expect(written).rejects.toThrow(
      's3://b/k cannot be written: check the permissions of the function',
    );
    await expect(written).rejects.toThrow(ObjectUnavailable);
  });
});
