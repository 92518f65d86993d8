/** What this S3 does beyond what semantics.test.ts asks of every S3: hostile keys, framing, refusals by name, and failures of disk and clients. */
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import { type Answer, sendSigned, signedHeaders } from '../../support/signed-request';
import { until } from '../../support/until';

const MIB = 1024 * 1024;
const fixture = s3Fixture();
const { client: s3 } = fixture;

function put(Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) {
  return s3.putObject({ Bucket: BUCKET, Key, Body, ...more });
}

async function get(Key: string, Range?: string): Promise<string> {
  const { Body } = await s3.getObject({ Bucket: BUCKET, Key, Range });
  return (await Body?.transformToString('latin1')) ?? '';
}

/** `abc` in the framing that the SDK uses for streams. */
function putChunked(size: number, crc32: string | undefined): Promise<Answer> {
  const trailer = crc32 === undefined ? '' : `x-amz-checksum-crc32:${crc32}\r\n`;
  const headers = {
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': String(size),
    'x-amz-trailer': 'x-amz-checksum-crc32',
  };
  const body = `3\r\nabc\r\n0\r\n${trailer}\r\n`;
  const request = { method: 'PUT', path: `/${BUCKET}/chunked`, headers, body };
  return sendSigned(fixture.server.endpoint, request, fixture);
}

test.each([
  [{ trailer: 'AAAAAA==', size: 3 }, 'BadDigest'],
  [{ trailer: undefined, size: 3 }, 'MalformedTrailerError'],
  [{ trailer: 'NSRBwg==', size: 4 }, 'IncompleteBody'],
])('a bad trailer is refused, and nothing is stored: %j', async ({ trailer, size }, code) => {
  const answer = await putChunked(size, trailer);
  expect(answer.status).toBe(400);
  expect(answer.body).toContain(`<Code>${code}</Code>`);
  await expect(get('chunked')).rejects.toMatchObject({ name: 'NoSuchKey' });
});

test('what is not supported is refused by name', async () => {
  const Bucket = BUCKET;
  const at = { Bucket, Key: 'plain' };
  await put('plain', '0123456789');
  const refused: [() => Promise<unknown>, RegExp][] = [
    [() => s3.createBucket({ Bucket: 'new' }), /CreateBucket/],
    [() => s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: 'a' }] } }), /POST on bucket with \?delete/],
    [() => s3.getObject({ ...at, PartNumber: 1 }), /partNumber/],
    [() => s3.createSession({ Bucket }), /CreateSession/],
    [() => get('plain', 'bytes=0-1,3-4'), /several ranges/],
    [() => put('tagged', 'x', { Tagging: 'a=b' }), /x-amz-tagging/],
    [() => put('same', 'x', { IfNoneMatch: '"a"' }), /PutObject with If-None-Match: "a"/],
    [() => put('xxhash', 'content', { ChecksumXXHASH64: 'AAAAAAAAAAA=' }), /xxhash64/],
  ];
  for (const [operation, message] of refused) {
    const error: unknown = await operation().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'NotImplemented',
      message: expect.stringMatching(message) as string,
    });
  }
});

describe('a failure of the disk', () => {
  const full = (failing: 'open' | 'write') => {
    const { open } = fs.promises;
    const error = new Error('ENOSPC: no space left on device, write');
    return jest.spyOn(fs.promises, 'open').mockImplementation(async (...args) => {
      if (failing === 'open') throw error;
      const file = await open(...args);
      file.writeFile = () => Promise.reject(error);
      return file;
    });
  };

  test.each(['open', 'write'] as const)(
    'to %s a file is an internal error, and nothing is stored',
    async (failing) => {
      const failure = full(failing);
      const refused = { name: 'InternalError', message: expect.stringContaining('ENOSPC') as string };
      await expect(put('full', Buffer.alloc(30 * MIB))).rejects.toMatchObject(refused);
      failure.mockRestore();
      await expect(get('full')).rejects.toMatchObject({ name: 'NoSuchKey' });
      await put('full', 'x');
      expect(await get('full')).toBe('x');
      await s3.deleteObject({ Bucket: BUCKET, Key: 'full' });
    },
  );

  // Only Linux lists the descriptors of a process there.
  (process.platform === 'linux' ? test : test.skip)('or of a client leaves no file open', async () => {
    /** The open files of the store. The descriptor of the listed folder itself is closed again. */
    const openFiles = () =>
      fs.readdirSync('/proc/self/fd').filter((descriptor) => {
        const link = `/proc/self/fd/${descriptor}`;
        return fs.existsSync(link) && fs.readlinkSync(link).startsWith(fixture.folder);
      });
    await put('large', Buffer.alloc(32 * MIB));
    const { host, hostname, port } = new URL(fixture.server.endpoint);
    const url = `/${BUCKET}/large`;
    const headers = await signedHeaders({ method: 'GET', path: url, host }, fixture);
    const abort = () =>
      new Promise<void>((resolve, reject) => {
        const request = http.get({ hostname, port, path: url, headers, agent: false }, (response) => {
          response.once('data', () => response.destroy()).once('close', resolve);
          response.on('error', () => undefined);
        });
        request.on('error', reject);
      });
    await Promise.all(Array.from({ length: 20 }, abort));

    await until('all files are closed', () => openFiles().length === 0);
  });
});
