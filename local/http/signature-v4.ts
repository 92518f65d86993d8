/** Verifies the signatures of requests in their Authorization headers: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type * as http from 'node:http';
import { escapeUriPath, HttpRequest } from '@smithy/core/protocols';
import { getCanonicalQuery } from '@smithy/signature-v4';
import { queryOf, rawPathOf } from './loopback-server';

/** The services report the same faults under different names, so each translates these. */
export type SignatureFault =
  | 'no-signature'
  | 'other-algorithm'
  | 'malformed'
  | 'wrong-region'
  | 'wrong-service'
  | 'unknown-key'
  | 'invalid-token'
  | 'expired-token'
  | 'skewed'
  | 'unsigned-headers'
  | 'no-match';

/** `message` is S3's message for the fault. */
export class SignatureError extends Error {
  constructor(
    readonly fault: SignatureFault,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** With the values that Node.js joins or drops in `headers`. */
type SentHeaders = http.IncomingMessage['headersDistinct'];

type PresentedSignature = ReturnType<typeof signatureOfHeaders>;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html */
const MAX_SKEW_MS = 15 * 60_000;

const SHA256_OF_NOTHING = hash('sha256', '');

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
  const headers = message.headersDistinct;
  const presented = signatureOfHeaders(headers, options.tokenHeaders ?? []);
  checkScope(presented, options);
  const now = options.now ?? Date.now();
  checkTime(presented, now);
  const key = findKey(presented, options, now);
  checkSignedHeaders(presented, headers);

  const payloadHash = options.payloadHash ?? headers['x-amz-content-sha256']?.[0] ?? SHA256_OF_NOTHING;
  const canonical = [
    message.method ?? '',
    canonicalPath(rawPathOf(message.url ?? '/'), presented.service),
    canonicalQuery(message.url ?? '/'),
    ...presented.signedHeaders.map((name) => `${name}:${canonicalHeader(headers[name])}`),
    '',
    presented.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const { day, region, service, time } = presented;
  const scope = `${day}/${region}/${service}/aws4_request`;
  const stringToSign = [ALGORITHM, time, scope, hash('sha256', canonical)].join('\n');
  const signingKey = [day, region, service, 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${key.secretAccessKey}`),
  );
  const expected = hmac(signingKey, stringToSign).toString('hex');
  if (!isEqual(expected, presented.signature)) {
    throw new SignatureError(
      'no-match',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { AWSAccessKeyId: presented.accessKeyId, StringToSign: stringToSign, CanonicalRequest: canonical },
    );
  }
  return { accessKeyId: presented.accessKeyId, key, service };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html */
function signatureOfHeaders(headers: SentHeaders, tokenHeaders: readonly string[]) {
  const header = headers.authorization?.[0];
  if (header === undefined) throw new SignatureError('no-signature', 'Access Denied');
  const [algorithm = '', fields = ''] = header.split(/ (.*)/s);
  if (algorithm !== ALGORITHM) throw new SignatureError('other-algorithm', algorithm);
  const values = new Map(
    fields.split(',').map((field) => {
      const [name = '', value = ''] = field.trim().split(/=(.*)/s);
      return [name, value];
    }),
  );
  const field = (name: string): string => {
    const value = values.get(name) ?? '';
    if (value === '') throw malformed(`missing ${name}.`);
    return value;
  };
  const credential = scopeOf(field('Credential'));
  const time = headers['x-amz-date']?.[0];
  if (time === undefined || Number.isNaN(timeOf(time))) {
    throw new SignatureError('no-signature', 'AWS authentication requires a valid x-amz-date header');
  }
  return {
    ...credential,
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    time,
    token: [...tokenHeaders, 'x-amz-security-token'].map((name) => headers[name]?.[0]).find(Boolean),
  };
}

function scopeOf(credential: string) {
  // An access key id may contain slashes, the other fields may not.
  const match = /^(.+)\/(\d{8})\/([^/]*)\/([^/]*)\/aws4_request$/s.exec(credential);
  if (match === null) {
    throw malformed(
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  const [, accessKeyId, day, region, service] = match;
  return { accessKeyId, day, region, service };
}

function canonicalHeader(values: readonly string[] = []): string {
  // Node.js decodes headers as Latin-1. Clients sign the UTF-8 text, so restore the bytes.
  return values
    .map((value) => Buffer.from(value, 'latin1').toString('utf8').trim().replaceAll(/ +/g, ' '))
    .join(',');
}

function malformed(what: string, fault: SignatureFault = 'malformed', fields = {}): SignatureError {
  return new SignatureError(fault, `The authorization header is malformed; ${what}`, fields);
}

/** Epoch milliseconds of `20130524T000000Z`; NaN for a text of another form. */
function timeOf(text: string): number {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return iso === text ? NaN : Date.parse(iso);
}

function checkScope(
  { day, region, service, time }: PresentedSignature,
  expected: Pick<SignatureOptions<AccessKey>, 'region' | 'services'>,
): void {
  if (!time.startsWith(day)) {
    throw malformed(
      `Invalid credential date "${day}". This date is not the same as X-Amz-Date: "${time.slice(0, 8)}".`,
    );
  }
  if (region !== expected.region) {
    const what = `the region '${region}' is wrong; expecting '${expected.region}'`;
    throw malformed(what, 'wrong-region', { Region: expected.region });
  }
  if (!expected.services.includes(service)) {
    const [own = ''] = expected.services;
    throw malformed(`incorrect service "${service}". This endpoint belongs to "${own}".`, 'wrong-service');
  }
}

function checkTime({ time }: PresentedSignature, now: number): void {
  if (Math.abs(now - timeOf(time)) <= MAX_SKEW_MS) return;
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
  const unsigned = Object.keys(headers)
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
  if (!service.startsWith('s3')) return escapeUriPath(path);
  try {
    return escapeUriPath(decodeURIComponent(path));
  } catch {
    // Malformed escapes or invalid UTF-8. The service refuses the path; the signature covers it as it was sent.
    return path;
  }
}

function canonicalQuery(url: string): string {
  const sent = queryOf(url);
  const query = Object.fromEntries([...sent.keys()].map((name) => [name, sent.getAll(name)]));
  return getCanonicalQuery(new HttpRequest({ query }));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function isEqual(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
