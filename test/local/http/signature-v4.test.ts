/** Examples of AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
import type * as http from 'node:http';
import { SignatureError } from '../../../local/http/signature-error';
import { type AccessKey, type SignatureOptions, verifySignature } from '../../../local/http/signature-v4';
import { signedHeaders, sha256 } from '../../support/signed-request';

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

const GET = message('GET', '/test.txt', {
  Host: HOST,
  Authorization: authorization(
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ),
  Range: 'bytes=0-9',
  'x-amz-content-sha256': EMPTY,
  'x-amz-date': '20130524T000000Z',
});

const PUT = message('PUT', '/test%24file.text', {
  Host: HOST,
  Date: 'Fri, 24 May 2013 00:00:00 GMT',
  Authorization: authorization(
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ),
  'x-amz-date': '20130524T000000Z',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
});

const LIFECYCLE = message('GET', '/?lifecycle', {
  Host: HOST,
  Authorization: authorization(
    'host;x-amz-content-sha256;x-amz-date',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ),
  'x-amz-date': '20130524T000000Z',
  'x-amz-content-sha256': EMPTY,
});

const LIST = message('GET', '/?max-keys=2&prefix=J', {
  Host: HOST,
  Authorization: authorization(
    'host;x-amz-content-sha256;x-amz-date',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ),
  'x-amz-date': '20130524T000000Z',
  'x-amz-content-sha256': EMPTY,
});

const QUERY =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256' +
  '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
  '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
  '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
const PRESIGNED = message('GET', `/test.txt?${QUERY}`, { Host: HOST });

describe("a signature of AWS's documentation", () => {
  it.each([
    ['in a header, with a range', GET],
    ['in a header, of a write', PUT],
    ['in a header, of a parameter without a value', LIFECYCLE],
    ['in a header, of a list', LIST],
    ['in the query', PRESIGNED],
  ])('%s is valid', (_, request) => {
    expect(verify(request)).toMatchObject({ accessKeyId: ID, service: 's3' });
  });

  it.each([
    ['the method', message('HEAD', '/test.txt', GET.headers as Record<string, string>)],
    ['the path', message('GET', '/test.tx', GET.headers as Record<string, string>)],
    ['the query', message('GET', '/test.txt?x=1', GET.headers as Record<string, string>)],
    [
      'a header',
      message('GET', '/test.txt', { ...(GET.headers as Record<string, string>), Range: 'bytes=0-8' }),
    ],
    ['the query of a presigned URL', message('GET', `/test.txt?${QUERY}&x=1`, { Host: HOST })],
    ['the host', message('GET', `/test.txt?${QUERY}`, { Host: 'other' })],
  ])('is invalid for a request that differs in %s', (_, request) => {
    expect(fault(request)).toBe('no-match');
  });
});

describe('a request', () => {
  const credentials = { accessKeyId: ID, secretAccessKey: SECRET };
  const base = { method: 'GET', path: '/b/k', host: '127.0.0.1:1' };
  const time = new Date(NOW);

  function signed(signing: object = {}, request: object = {}): http.IncomingMessage {
    const all = { ...base, ...request };
    return message(all.method, all.path, signedHeaders(all, { credentials, time, ...signing }));
  }

  it('with a right signature is accepted', () => {
    expect(verify(signed()).accessKeyId).toBe(ID);
  });

  it.each<[string, http.IncomingMessage, string]>([
    ['no signature', message('GET', '/', { Host: HOST }), 'no-signature'],
    ['another algorithm', message('GET', '/', { Authorization: 'Basic x' }), 'other-algorithm'],
    ['no fields', message('GET', '/', { Authorization: 'AWS4-HMAC-SHA256 x' }), 'malformed'],
    ['another secret', signed({ credentials: { ...credentials, secretAccessKey: 'x' } }), 'no-match'],
    ['another access key', signed({ credentials: { ...credentials, accessKeyId: 'x' } }), 'unknown-key'],
    ['another region', signed({ region: 'eu-west-1' }), 'wrong-region'],
    ['another service', signed({ service: 'states' }), 'wrong-service'],
    [
      'a token that its key has not',
      signed({ credentials: { ...credentials, sessionToken: 't' } }),
      'invalid-token',
    ],
    ['a time 16 minutes ago', signed({ time: new Date(NOW - 16 * 60_000) }), 'skewed'],
    ['a time in 16 minutes', signed({ time: new Date(NOW + 16 * 60_000) }), 'skewed'],
  ])('with %s is refused', (_, request, expected) => {
    expect(fault(request)).toBe(expected);
  });

  it('with a clock that is 14 minutes wrong is accepted', () => {
    for (const minutes of [-14, 14])
      expect(fault(signed({ time: new Date(NOW + minutes * 60_000) }))).toBe('none');
  });

  it('with an x-amz- header that is not signed is refused', () => {
    const { method, url, headers } = signed();
    const added = message(method ?? '', url ?? '', {
      ...(headers as Record<string, string>),
      'x-amz-acl': 'private',
    });
    expect(fault(added)).toBe('unsigned-headers');
  });

  describe('with temporary credentials', () => {
    const temporary = { ...credentials, sessionToken: 'token/+=' };
    const find = (expires?: number) => () => ({ secretAccessKey: SECRET, sessionToken: 'token/+=', expires });

    it.each<[string, object, number | undefined, string]>([
      ['and their token is accepted', temporary, NOW + 1, 'none'],
      ['without their token is refused', credentials, undefined, 'unknown-key'],
      ['and another token is refused', { ...temporary, sessionToken: 'x' }, undefined, 'invalid-token'],
      ['that have expired is refused', temporary, NOW, 'expired-token'],
    ])('%s', (_, own, expires, expected) => {
      expect(fault(signed({ credentials: own }), { find: find(expires) })).toBe(expected);
    });
  });

  it.each(['/b/a%20b', '/b/%C3%BC', '/b/a%2Bb', '/b/a%2525', '/b/..', '/b/a//b', '/b/~%27%28%29%2A%21'])(
    'for the path %s is verified',
    (path) => {
      expect(fault(signed({}, { path }))).toBe('none');
    },
  );

  it('to a service other than S3 covers its body', () => {
    const body = '{"a":1}';
    const request = signed({ service: 'states' }, { method: 'POST', path: '/', body });
    expect(fault(request, { services: ['states'], payloadHash: sha256(body) })).toBe('none');
    expect(fault(request, { services: ['states'], payloadHash: sha256('{"a":2}') })).toBe('no-match');
  });
});

describe('a presigned URL', () => {
  it('expires', () => {
    expect(fault(PRESIGNED, { now: NOW + 86_400_000 })).toBe('none');
    expect(fault(PRESIGNED, { now: NOW + 86_400_001 })).toBe('expired');
  });

  it('is not valid before its time', () => {
    expect(fault(PRESIGNED, { now: NOW - 16 * 60_000 })).toBe('not-valid-yet');
  });

  it.each([
    ['without a time', QUERY.replace(/&X-Amz-Date=[^&]*/, '')],
    ['that lives for more than a week', QUERY.replace('=86400', '=604801')],
    ['that lives for no number', QUERY.replace('=86400', '=x')],
    ['without a scope', QUERY.replace('%2Faws4_request', '')],
  ])('%s is malformed', (_, query) => {
    expect(fault(message('GET', `/test.txt?${query}`, { Host: HOST }))).toBe('malformed');
  });
});
