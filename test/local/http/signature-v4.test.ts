/** What a request may lack, besides a signature of the SDK, which tests of S3, Step Functions and HTTP APIs change. */
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

function message(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
): http.IncomingMessage {
  return {
    method,
    url,
    headers,
    headersDistinct: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]),
    ),
  } as unknown as http.IncomingMessage;
}

function fault(request: http.IncomingMessage, find?: SignatureOptions<AccessKey>['find']): unknown {
  try {
    verifySignature(request, {
      find: find ?? ((id) => (id === ID ? { secretAccessKey: SECRET } : undefined)),
      region: 'us-east-1',
      services: ['s3'],
      now: NOW,
    });
  } catch (error) {
    if (error instanceof SignatureError) return error.fault;
    throw error;
  }
  return 'none';
}

describe('a request', () => {
  const credentials = { accessKeyId: ID, secretAccessKey: SECRET };
  const base = { method: 'GET', path: '/b/k', host: '127.0.0.1:1' };
  const time = new Date(NOW);

  async function signed(signing: object = {}): Promise<http.IncomingMessage> {
    return message(base.method, base.path, await signedHeaders(base, { credentials, time, ...signing }));
  }

  it.each<[string, object, string]>([
    ['nothing wrong', {}, 'none'],
    ['a token that its key has not', { credentials: { ...credentials, sessionToken: 't' } }, 'invalid-token'],
    ['a time in 14 minutes', { time: new Date(NOW + 14 * 60_000) }, 'none'],
    ['a time 16 minutes ago', { time: new Date(NOW - 16 * 60_000) }, 'skewed'],
  ])('with %s: %#', async (_, signing, expected) => {
    expect(fault(await signed(signing))).toBe(expected);
  });

  it('without fields is refused', () => {
    expect(fault(message('GET', '/', { Authorization: 'AWS4-HMAC-SHA256 x' }))).toBe('malformed');
  });

  it('with an x-amz- header that is not signed is refused', async () => {
    const { method = '', url = '', headers } = await signed();
    const added = { ...(headers as Record<string, string>), 'x-amz-acl': 'private' };
    expect(fault(message(method, url, added))).toBe('unsigned-headers');
  });

  const temporary = { ...credentials, sessionToken: 'token/+=' };
  it.each([
    ['their token', temporary, 'none'],
    ['no token', credentials, 'unknown-key'],
  ])('with temporary credentials and %s: %#', async (_, own, expected) => {
    const find = () => ({ secretAccessKey: SECRET, sessionToken: 'token/+=' });
    expect(fault(await signed({ credentials: own }), find)).toBe(expected);
  });
});
