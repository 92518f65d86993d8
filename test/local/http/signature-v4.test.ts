/** Examples of AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
import { createHash } from 'node:crypto';
import type * as http from 'node:http';
import {
  type AccessKey,
  SignatureError,
  type SignatureOptions,
  verifySignature,
} from '../../../local/http/signature-v4';
import { signedHeaders } from '../../support/signed-request';

const ID = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const NOW = Date.parse('2013-05-24T00:00:00Z');
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const HOST = 'examplebucket.s3.amazonaws.com';

function message(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
): http.IncomingMessage {
  return {
    method,
    url,
    headers,
    rawHeaders: Object.entries(headers).flat(),
  } as unknown as http.IncomingMessage;
}

function verify(request: http.IncomingMessage, options: Partial<SignatureOptions<AccessKey>> = {}) {
  return verifySignature(request, {
    find: (id) => (id === ID ? { secretAccessKey: SECRET } : undefined),
    region: 'us-east-1',
    services: ['s3'],
    now: NOW,
    ...options,
  });
}

function fault(request: http.IncomingMessage, options: Partial<SignatureOptions<AccessKey>> = {}): unknown {
  try {
    verify(request, options);
  } catch (error) {
    if (error instanceof SignatureError) return error.fault;
    throw error;
  }
  return 'none';
}

function authorization(signedNames: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedNames},Signature=${signature}`;
}

const HEADERS = {
  Host: HOST,
  Authorization: authorization(
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ),
  Range: 'bytes=0-9',
  'x-amz-content-sha256': EMPTY,
  'x-amz-date': '20130524T000000Z',
};

describe("a signature of AWS's documentation", () => {
  it('is valid', () => {
    expect(verify(message('GET', '/test.txt', HEADERS))).toMatchObject({ accessKeyId: ID, service: 's3' });
  });

  it.each([
    ['the method', message('HEAD', '/test.txt', HEADERS)],
    ['the path', message('GET', '/test.tx', HEADERS)],
    ['the query', message('GET', '/test.txt?x=1', HEADERS)],
    ['a header', message('GET', '/test.txt', { ...HEADERS, Range: 'bytes=0-8' })],
  ])('is invalid for a request that differs in %s', (_, request) => {
    expect(fault(request)).toBe('no-match');
  });
});

describe('a request', () => {
  const credentials = { accessKeyId: ID, secretAccessKey: SECRET };
  const base = { method: 'GET', path: '/b/k', host: '127.0.0.1:1' };
  const time = new Date(NOW);

  async function signed(signing: object = {}, request: object = {}): Promise<http.IncomingMessage> {
    const all = { ...base, ...request };
    return message(all.method, all.path, await signedHeaders(all, { credentials, time, ...signing }));
  }

  it.each<[string, object, string]>([
    ['nothing wrong', {}, 'none'],
    ['another secret', { credentials: { ...credentials, secretAccessKey: 'x' } }, 'no-match'],
    ['another access key', { credentials: { ...credentials, accessKeyId: 'x' } }, 'unknown-key'],
    ['another region', { region: 'eu-west-1' }, 'wrong-region'],
    ['another service', { service: 'states' }, 'wrong-service'],
    ['a token that its key has not', { credentials: { ...credentials, sessionToken: 't' } }, 'invalid-token'],
    ['a time in 14 minutes', { time: new Date(NOW + 14 * 60_000) }, 'none'],
    ['a time 16 minutes ago', { time: new Date(NOW - 16 * 60_000) }, 'skewed'],
  ])('with %s: %#', async (_, signing, expected) => {
    expect(fault(await signed(signing))).toBe(expected);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no signature', { Host: HOST }, 'no-signature'],
    ['another algorithm', { Authorization: 'Basic x' }, 'other-algorithm'],
    ['no fields', { Authorization: 'AWS4-HMAC-SHA256 x' }, 'malformed'],
  ])('with %s is refused', (_, headers, expected) => {
    expect(fault(message('GET', '/', headers))).toBe(expected);
  });

  it('with an x-amz- header that is not signed is refused', async () => {
    const { method = '', url = '', headers } = await signed();
    const added = { ...(headers as Record<string, string>), 'x-amz-acl': 'private' };
    expect(fault(message(method, url, added))).toBe('unsigned-headers');
  });

  const temporary = { ...credentials, sessionToken: 'token/+=' };
  it.each<[string, object, number | undefined, string]>([
    ['their token', temporary, NOW + 1, 'none'],
    ['no token', credentials, undefined, 'unknown-key'],
    ['another token', { ...temporary, sessionToken: 'x' }, undefined, 'invalid-token'],
    ['a token that has expired', temporary, NOW, 'expired-token'],
  ])('with temporary credentials and %s: %#', async (_, own, expires, expected) => {
    const find = () => ({ secretAccessKey: SECRET, sessionToken: 'token/+=', expires });
    expect(fault(await signed({ credentials: own }), { find })).toBe(expected);
  });

  it('to a service other than S3 covers its body', async () => {
    const request = await signed({ service: 'states' }, { method: 'POST', path: '/', body: '{"a":1}' });
    const withBody = (body: string) => {
      const payloadHash = createHash('sha256').update(body).digest('hex');
      return fault(request, { services: ['states'], payloadHash });
    };
    expect(withBody('{"a":1}')).toBe('none');
    expect(withBody('{"a":2}')).toBe('no-match');
  });
});
