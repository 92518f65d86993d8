/** Signed requests that the SDK does not send, and refusals before a body is read. */
import * as http from 'node:http';
import { CreateSessionCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Callers, type TemporaryCredentials } from '../../../local/s3/callers';
import { S3Server } from '../../../local/s3/server';
import { DiskObjectStore } from '../../../local/s3/store';
import {
  type Answer,
  presignedPath,
  send,
  sendSigned,
  signedHeaders,
  type SignedRequest,
} from '../../support/signed-request';
import { temporaryFolder } from '../../support/temporary-folder';

const BUCKET = 'the-bucket';
const DIRECTORY_BUCKET = 'tensors--use1-az5--x-s3';

const store = new DiskObjectStore(temporaryFolder());
const callers = new Callers();
const credentials = callers.addTemporary();
let server: S3Server;

beforeAll(async () => {
  store.createBucket(BUCKET);
  store.createBucket(DIRECTORY_BUCKET);
  server = await S3Server.start(store, callers);
});

afterAll(() => server.close());

function signed(request: SignedRequest, more: object = {}): Promise<Answer> {
  return sendSigned(server.endpoint, request, { credentials, ...more });
}

function codeOf({ body }: Answer): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(body)?.[1];
}

async function exists(key: string): Promise<boolean> {
  return Promise.resolve(store.find(BUCKET, key) !== undefined);
}

function presigned(method: string, path: string, time = new Date()): Promise<string> {
  const { host } = new URL(server.endpoint);
  return presignedPath({ method, path, host }, { credentials, time });
}

describe('a presigned URL', () => {
  it('writes and reads an object without other credentials', async () => {
    const put = { method: 'PUT', path: await presigned('PUT', `/${BUCKET}/shared`), body: 'content' };
    expect(await send(server.endpoint, put, { 'Content-Length': 7 })).toMatchObject({ status: 200 });
    const get = { method: 'GET', path: await presigned('GET', `/${BUCKET}/shared`) };
    expect(await send(server.endpoint, get, {})).toMatchObject({ status: 200, body: 'content' });
  });

  it('may have metadata and other headers of the response in its query', async () => {
    const query = 'x-amz-meta-run=7&x-amz-checksum-crc32=AAAAAA%3D%3D';
    const put = { method: 'PUT', path: await presigned('PUT', `/${BUCKET}/meta?${query}`), body: 'x' };
    expect((await send(server.endpoint, put, { 'Content-Length': 1 })).status).toBe(200);
    const path = await presigned('GET', `/${BUCKET}/meta?response-content-type=a/b`);
    const { headers } = await send(server.endpoint, { method: 'GET', path }, {});
    expect(headers).toMatchObject({ 'x-amz-meta-run': '7', 'content-type': 'a/b' });
  });

  it.each(['a\nb', '日本'])('cannot have the metadata %j, which no header holds', async (value) => {
    const path = await presigned('PUT', `/${BUCKET}/lines?x-amz-meta-q=${encodeURIComponent(value)}`);
    const answer = await send(server.endpoint, { method: 'PUT', path, body: 'x' }, { 'Content-Length': 1 });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'InvalidArgument']);
    const get = await presigned(
      'GET',
      `/${BUCKET}/shared?response-content-type=${encodeURIComponent(value)}`,
    );
    expect(codeOf(await send(server.endpoint, { method: 'GET', path: get }, {}))).toBe('InvalidArgument');
  });

  it.each([
    [
      'that has expired',
      () => presigned('GET', `/${BUCKET}/shared`, new Date(Date.now() - 2 * 3_600_000)),
      'AccessDenied',
    ],
    ['for another method', () => presigned('PUT', `/${BUCKET}/shared`), 'SignatureDoesNotMatch'],
    [
      'that lives for too long',
      async () => (await presigned('GET', `/${BUCKET}/shared`)).replace('=3600', '=999999'),
      'AuthorizationQueryParametersError',
    ],
  ])('%s is refused', async (_, path, code) => {
    expect(codeOf(await send(server.endpoint, { method: 'GET', path: await path() }, {}))).toBe(code);
  });
});

describe('a body', () => {
  const path = `/${BUCKET}/body`;

  it('must have the SHA-256 that was signed', async () => {
    const { host } = new URL(server.endpoint);
    const headers = await signedHeaders({ method: 'PUT', path, host, body: 'signed' }, { credentials });
    const answer = await send(server.endpoint, { method: 'PUT', path, body: 'forged' }, headers);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'XAmzContentSHA256Mismatch']);
    expect(await exists('body')).toBe(false);
  });

  it('may be unsigned', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    expect((await signed({ method: 'PUT', path, body: 'x', headers })).status).toBe(200);
  });

  it.each([
    ['that is no hash', 'x', 400, 'InvalidArgument'],
    ['of signed chunks', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 501, 'NotImplemented'],
  ])('with a value %s is refused', async (_, hash, status, code) => {
    const headers = { 'x-amz-content-sha256': hash };
    const answer = await signed({ method: 'PUT', path, body: 'x', headers });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it.each([
    [5 * 1024 ** 3 + 1, 'EntityTooLarge'],
    [5 * 1024 ** 3, 'nothing'],
  ])('of %i bytes is refused with %s before it is sent', async (size, expected) => {
    const { host } = new URL(server.endpoint);
    const all = { method: 'PUT', path: `/${BUCKET}/huge`, host };
    const headers = await signedHeaders(
      { ...all, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
      { credentials },
    );
    const { hostname, port } = new URL(server.endpoint);
    const code = await new Promise<string | undefined>((resolve, reject) => {
      const request = http.request({ ...all, hostname, port, agent: false });
      for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
      request.setHeader('Content-Length', size);
      request.setHeader('Expect', '100-continue');
      request.on('continue', () => {
        request.destroy();
        resolve('nothing');
      });
      request.on('response', (response) => {
        let body = '';
        response.on('data', (piece: Buffer) => (body += piece.toString()));
        response.on('end', () => {
          resolve(codeOf({ status: 0, headers: {}, body }));
        });
      });
      request.on('error', reject);
      request.flushHeaders();
    });
    expect(code).toBe(expected);
    expect(await exists('huge')).toBe(false);
  });
});

describe('a request', () => {
  const get = { method: 'GET', path: `/${BUCKET}/x` };

  it.each<[string, () => Promise<Answer>, number, string]>([
    ['without a signature', () => send(server.endpoint, get, {}), 403, 'AccessDenied'],
    [
      'with an old signature',
      () => send(server.endpoint, get, { Authorization: 'AWS a:b' }),
      400,
      'InvalidRequest',
    ],
    [
      'with another secret',
      () => signed(get, { credentials: { ...credentials, secretAccessKey: 'x' } }),
      403,
      'SignatureDoesNotMatch',
    ],
    [
      'with another access key',
      () => signed(get, { credentials: { ...credentials, accessKeyId: 'x' } }),
      403,
      'InvalidAccessKeyId',
    ],
    [
      'with a clock that is 16 minutes late',
      () => signed(get, { time: new Date(Date.now() - 16 * 60_000) }),
      403,
      'RequestTimeTooSkewed',
    ],
    [
      'with a presigned URL of Signature Version 2',
      () => send(server.endpoint, { ...get, path: `${get.path}?AWSAccessKeyId=a&Signature=b&Expires=1` }, {}),
      400,
      'InvalidRequest',
    ],
    [
      'with the token of another caller',
      () =>
        signed(get, { credentials: { ...credentials, sessionToken: callers.addTemporary().sessionToken } }),
      400,
      'InvalidToken',
    ],
    [
      'without its token',
      () => signed(get, { credentials: { ...credentials, sessionToken: undefined } }),
      403,
      'InvalidAccessKeyId',
    ],
    ['for another service', () => signed(get, { service: 'states' }), 400, 'AuthorizationHeaderMalformed'],
    [
      'for directory buckets to another bucket',
      () => signed(get, { service: 's3express' }),
      400,
      'AuthorizationHeaderMalformed',
    ],
    [
      'to the host of a bucket',
      () => signed({ ...get, headers: { host: `${BUCKET}.localhost` } }),
      501,
      'NotImplemented',
    ],
    ['with a path that is no text', () => signed({ ...get, path: `/${BUCKET}/%ff` }), 400, 'InvalidURI'],
  ])('%s is refused', async (_, request, status, code) => {
    const answer = await request();
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it('for another region learns the right one', async () => {
    const answer = await signed(get, { region: 'eu-west-1' });
    expect(answer.headers['x-amz-bucket-region']).toBe('us-east-1');
    expect(answer.body).toContain('<Region>us-east-1</Region>');
  });
});

describe('a conditional write that is under way', () => {
  /** Begins a write, runs `meanwhile` after the server has checked the condition, and ends it. */
  async function write(
    path: string,
    condition: Record<string, string>,
    meanwhile: () => Promise<unknown>,
  ): Promise<number | undefined> {
    const { host, hostname, port } = new URL(server.endpoint);
    const own = { ...condition, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const headers = await signedHeaders({ method: 'PUT', path, host, headers: own }, { credentials });
    const slow = http.request({ hostname, port, method: 'PUT', path, agent: false });
    for (const [name, value] of Object.entries({ ...headers, 'content-length': '4' }))
      slow.setHeader(name, value);
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
      slow.on('response', resolve).on('error', reject);
    });
    const started = new Promise((resolve) => slow.on('continue', resolve));
    slow.setHeader('Expect', '100-continue');
    slow.flushHeaders();
    // The server has checked the condition once it asks for the body.
    await started;
    await meanwhile();
    slow.end('slow');
    return (await answered).statusCode;
  }

  it('fails its precondition if another write of the key ends before', async () => {
    const path = `/${BUCKET}/race`;
    const condition = { 'if-none-match': '*' };
    const quick = { method: 'PUT', path, body: 'quick', headers: condition };
    const status = await write(path, condition, async () => {
      expect((await signed(quick)).status).toBe(200);
    });
    expect(status).toBe(412);
    expect(codeOf(await signed(quick))).toBe('PreconditionFailed');
    expect(store.head(BUCKET, 'race').size).toBe(5);
  });

  it('of a version fails its precondition if the key has another one at the end', async () => {
    const path = `/${BUCKET}/version`;
    await signed({ method: 'PUT', path, body: 'first' });
    const condition = { 'if-match': store.head(BUCKET, 'version').etag };
    expect(await write(path, condition, () => signed({ method: 'PUT', path, body: 'second' }))).toBe(412);
    expect(store.head(BUCKET, 'version').size).toBe(6);
  });

  it('of a version is in conflict with a deletion that ends before', async () => {
    const path = `/${BUCKET}/conflict`;
    await signed({ method: 'PUT', path, body: 'first' });
    const condition = { 'if-match': store.head(BUCKET, 'conflict').etag };
    expect(await write(path, condition, () => signed({ method: 'DELETE', path }))).toBe(409);
    expect(store.find(BUCKET, 'conflict')).toBeUndefined();
  });
});

describe('a session of a directory bucket', () => {
  let client: S3Client;
  beforeAll(() => {
    client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  });
  afterAll(() => {
    client.destroy();
  });

  async function session(SessionMode?: 'ReadOnly'): Promise<TemporaryCredentials> {
    const { Credentials } = await client.send(
      new CreateSessionCommand({ Bucket: DIRECTORY_BUCKET, SessionMode }),
    );
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  }

  /** A request with the token in the header of sessions. */
  function inSession(
    { sessionToken, ...own }: TemporaryCredentials,
    request: SignedRequest,
  ): Promise<Answer> {
    const headers = { ...request.headers, 'x-amz-s3session-token': sessionToken };
    return signed({ ...request, headers }, { credentials: own, service: 's3express' });
  }

  const put = { method: 'PUT', path: `/${DIRECTORY_BUCKET}/k`, body: 'x' };
  const get = { method: 'GET', path: `/${DIRECTORY_BUCKET}/k` };

  it('reads and writes its bucket', async () => {
    const own = await session();
    expect((await inSession(own, put)).status).toBe(200);
    expect(await inSession(own, get)).toMatchObject({ status: 200, body: 'x' });
  });

  it('may be for reading only', async () => {
    const own = await session('ReadOnly');
    expect(codeOf(await inSession(own, put))).toBe('AccessDenied');
    expect((await inSession(own, get)).status).toBe(200);
  });

  it('is for no other bucket', async () => {
    store.createBucket('other--use1-az5--x-s3');
    const answer = await inSession(await session(), { method: 'GET', path: '/other--use1-az5--x-s3/k' });
    expect(codeOf(answer)).toBe('AccessDenied');
  });

  it('ends after five minutes', async () => {
    const own = await session();
    const later = Date.now() + 5 * 60_000 + 1;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(later);
    try {
      expect(codeOf(await inSession(own, get))).toBe('ExpiredToken');
    } finally {
      clock.mockRestore();
    }
  });

  it('ends when its caller does', async () => {
    const caller = callers.addTemporary();
    const its = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: caller,
      maxAttempts: 1,
    });
    const at = { Bucket: DIRECTORY_BUCKET, Key: 'k' };
    await its.send(new PutObjectCommand({ ...at, Body: 'x' }));
    callers.remove(caller);
    await expect(its.send(new HeadObjectCommand(at))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    its.destroy();
  });
});
