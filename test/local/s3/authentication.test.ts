/** Signed requests that the SDK does not send, and sessions of directory buckets. */
import type { TemporaryCredentials } from '../../../local/s3/callers';
import { BUCKET, s3Fixture } from '../../support/s3-fixture';
import {
  type Answer,
  send,
  sendSigned,
  signedHeaders,
  type SignedRequest,
} from '../../support/signed-request';

const DIRECTORY_BUCKET = 'tensors--use1-az5--x-s3';
const OTHER_DIRECTORY_BUCKET = 'other--use1-az5--x-s3';

const fixture = s3Fixture();
const { callers } = fixture;
const credentials = callers.addTemporary();
for (const bucket of [DIRECTORY_BUCKET, OTHER_DIRECTORY_BUCKET]) fixture.store.createBucket(bucket);
let endpoint: string;
beforeAll(() => {
  ({ endpoint } = fixture.server);
});

function signed(request: SignedRequest, more: object = {}): Promise<Answer> {
  return sendSigned(endpoint, request, { credentials, ...more });
}

function codeOf({ body }: Answer): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(body)?.[1];
}

describe('a body', () => {
  const path = `/${BUCKET}/body`;

  it('must have the SHA-256 that was signed', async () => {
    const { host } = new URL(endpoint);
    const headers = await signedHeaders({ method: 'PUT', path, host, body: 'signed' }, { credentials });
    const answer = await send(endpoint, { method: 'PUT', path, body: 'forged' }, headers);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'XAmzContentSHA256Mismatch']);
    expect(fixture.store.find(BUCKET, 'body')).toBeUndefined();
  });

  it.each([
    ['that is unsigned', 'UNSIGNED-PAYLOAD', 200, undefined],
    ['with a value that is no hash', 'x', 400, 'InvalidArgument'],
    ['of signed chunks', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 501, 'NotImplemented'],
  ])('%s is answered with %s: %i %s', async (_, hash, status, code) => {
    const headers = { 'x-amz-content-sha256': hash };
    const answer = await signed({ method: 'PUT', path, body: 'x', headers });
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it('must have at most 5 GiB', async () => {
    const headers = { 'x-amz-decoded-content-length': String(5 * 1024 ** 3 + 1) };
    const chunked = { ...headers, 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };
    expect(codeOf(await signed({ method: 'PUT', path, body: 'x', headers: chunked }))).toBe('EntityTooLarge');
  });
});

describe('a request', () => {
  const get = { method: 'GET', path: `/${BUCKET}/x` };
  const host = `${BUCKET}.localhost`;
  const own = (more: object) => signed(get, { credentials: { ...credentials, ...more } });

  const bare = (headers: object, path = get.path) =>
    send(endpoint, { ...get, path }, headers as Record<string, string>);

  it.each<[string, () => Promise<Answer>, number, string]>([
    ['that is presigned', () => bare({}, `${get.path}?X-Amz-Signature=a`), 501, 'NotImplemented'],
    ['without a signature', () => bare({}), 403, 'AccessDenied'],
    ['with an old signature', () => bare({ Authorization: 'AWS a:b' }), 400, 'InvalidRequest'],
    ['with another token', () => own({ sessionToken: 'x' }), 400, 'InvalidToken'],
    ['of a session', () => signed(get, { service: 's3express' }), 400, 'AuthorizationHeaderMalformed'],
    ['to the host of a bucket', () => signed({ ...get, headers: { host } }), 501, 'NotImplemented'],
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

describe('a session of a directory bucket', () => {
  async function session(mode = 'ReadWrite', caller = credentials): Promise<TemporaryCredentials> {
    const headers = { 'x-amz-create-session-mode': mode };
    const create = { method: 'GET', path: `/${DIRECTORY_BUCKET}?session`, headers };
    const { body } = await signed(create, { credentials: caller, service: 's3express' });
    const field = (name: string) => new RegExp(`<${name}>(.*)</${name}>`).exec(body)?.[1] ?? '';
    return {
      accessKeyId: field('AccessKeyId'),
      secretAccessKey: field('SecretAccessKey'),
      sessionToken: field('SessionToken'),
    };
  }

  /** A request with the token in the header of sessions. */
  async function inSession({ sessionToken, ...own }: TemporaryCredentials, request: SignedRequest) {
    const headers = { 'x-amz-s3session-token': sessionToken };
    const answer = await signed({ ...request, headers }, { credentials: own, service: 's3express' });
    return codeOf(answer) ?? answer.body;
  }

  const put = { method: 'PUT', path: `/${DIRECTORY_BUCKET}/k`, body: 'x' };
  const get = { method: 'GET', path: `/${DIRECTORY_BUCKET}/k` };

  it('reads and writes its bucket and no other one, or only reads', async () => {
    const own = await session();
    expect(await inSession(own, put)).toBe('');
    expect(await inSession(own, get)).toBe('x');
    expect(await inSession(own, { ...get, path: `/${OTHER_DIRECTORY_BUCKET}/k` })).toBe('AccessDenied');
    const reading = await session('ReadOnly');
    expect(await inSession(reading, put)).toBe('AccessDenied');
    expect(await inSession(reading, get)).toBe('x');
  });

  it('ends after five minutes, or when its caller does', async () => {
    const caller = callers.addTemporary();
    const own = await session('ReadWrite', caller);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 5 * 60_000 + 1);
    expect(await inSession(own, get)).toBe('ExpiredToken');
    clock.mockRestore();
    expect(await inSession(own, get)).toBe('x');
    callers.remove(caller);
    expect(await inSession(own, get)).toBe('InvalidAccessKeyId');
  });
});
