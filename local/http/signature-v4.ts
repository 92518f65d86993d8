/** Verifies signatures: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type * as http from 'node:http';
import {
  ALGORITHM,
  type PresentedSignature,
  SentHeaders,
  SignatureError,
  signatureOfHeaders,
  timeOf,
} from './presented-signature';
import { encodePath, encodeUri, queryOf, rawPathOf } from './uri';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html */
const MAX_SKEW_MS = 15 * 60_000;

const SHA256_OF_NOTHING = sha256('');

export interface AccessKey {
  readonly secretAccessKey: string;
  /** Requests with temporary credentials must have this token. */
  readonly sessionToken?: string;
  /** Epoch milliseconds. */
  readonly expires?: number;
}

export interface SignatureOptions<K extends AccessKey> {
  readonly find: (accessKeyId: string) => K | undefined;
  readonly region: string;
  readonly services: readonly string[];
  /** Headers that may have the session token, besides `x-amz-security-token`. */
  readonly tokenHeaders?: readonly string[];
  /** Epoch milliseconds. */
  readonly now?: number;
  /** SHA-256 of the body in hexadecimal, for services other than S3. @default - the header, or the SHA-256 of nothing */
  readonly payloadHash?: string;
}

export function verifySignature<K extends AccessKey>(
  message: http.IncomingMessage,
  options: SignatureOptions<K>,
) {
  const headers = new SentHeaders(message);
  const presented = signatureOfHeaders(headers, options.tokenHeaders ?? []);
  checkScope(presented, options);
  const now = options.now ?? Date.now();
  checkTime(presented, now);
  const key = findKey(presented, options, now);
  checkSignedHeaders(presented, headers);

  const payloadHash = options.payloadHash ?? headers.get('x-amz-content-sha256') ?? SHA256_OF_NOTHING;
  const canonical = [
    message.method ?? '',
    canonicalPath(rawPathOf(message.url ?? '/'), presented.service),
    canonicalQuery(queryOf(message.url ?? '/')),
    ...presented.signedHeaders.map((name) => `${name}:${headers.canonical(name)}`),
    '',
    presented.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const { day, region, service, time } = presented;
  const scope = `${day}/${region}/${service}/aws4_request`;
  const stringToSign = [ALGORITHM, time, scope, sha256(canonical)].join('\n');
  const signingKey = [day, region, service, 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${key.secretAccessKey}`),
  );
  const expected = hmac(signingKey, stringToSign).toString('hex');
  if (!isEqual(expected, presented.signature)) {
    throw new SignatureError(
      'no-match',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        AWSAccessKeyId: presented.accessKeyId,
        StringToSign: stringToSign,
        SignatureProvided: presented.signature,
        CanonicalRequest: canonical,
      },
    );
  }
  return { accessKeyId: presented.accessKeyId, key, service };
}

function checkScope(
  { day, region, service, time }: PresentedSignature,
  expected: Pick<SignatureOptions<AccessKey>, 'region' | 'services'>,
): void {
  const say = (what: string): string => `The authorization header is malformed; ${what}`;
  if (!time.startsWith(day)) {
    const what = `Invalid credential date "${day}". This date is not the same as X-Amz-Date: "${time.slice(0, 8)}".`;
    throw new SignatureError('malformed', say(what));
  }
  if (region !== expected.region) {
    const what = `the region '${region}' is wrong; expecting '${expected.region}'`;
    throw new SignatureError('wrong-region', say(what), { Region: expected.region });
  }
  if (!expected.services.includes(service)) {
    const [own = ''] = expected.services;
    const what = `incorrect service "${service}". This endpoint belongs to "${own}".`;
    throw new SignatureError('wrong-service', say(what));
  }
}

function checkTime({ time }: PresentedSignature, now: number): void {
  const signed = timeOf(time) ?? NaN;
  if (Math.abs(now - signed) <= MAX_SKEW_MS) return;
  const message = 'The difference between the request time and the current time is too large.';
  throw new SignatureError('skewed', message, {
    RequestTime: time,
    ServerTime: new Date(now).toISOString(),
  });
}

function findKey<K extends AccessKey>(
  { accessKeyId, token }: PresentedSignature,
  { find }: SignatureOptions<K>,
  now: number,
): K {
  const key = find(accessKeyId);
  // AWS does not find temporary access keys without their token.
  if (key === undefined || (key.sessionToken !== undefined && token === undefined)) {
    throw new SignatureError(
      'unknown-key',
      'The AWS Access Key Id you provided does not exist in our records.',
      { AWSAccessKeyId: accessKeyId },
    );
  }
  if (token !== undefined && (key.sessionToken === undefined || !isEqual(key.sessionToken, token))) {
    throw new SignatureError('invalid-token', 'The provided token is malformed or otherwise invalid.');
  }
  if (key.expires !== undefined && key.expires <= now) {
    throw new SignatureError('expired-token', 'The provided token has expired.');
  }
  return key;
}

/** The host and all `x-amz-` headers must be signed, so that nobody can add any on the way. */
function checkSignedHeaders({ signedHeaders }: PresentedSignature, headers: SentHeaders): void {
  const unsigned = headers
    .names()
    .filter((name) => name === 'host' || name.startsWith('x-amz-'))
    .filter((name) => !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  throw new SignatureError(
    'unsigned-headers',
    'There were headers present in the request which were not signed',
    { HeadersNotSigned: unsigned.join(', ') },
  );
}

/** S3 signs paths with one encoding, other services with two: their clients encode the path that they send once more. */
function canonicalPath(path: string, service: string): string {
  if (!service.startsWith('s3')) return encodePath(path);
  try {
    return encodePath(decodeURIComponent(path));
  } catch {
    // Malformed escapes or invalid UTF-8. The service refuses the path; the signature covers it as it was sent.
    return path;
  }
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function isEqual(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
