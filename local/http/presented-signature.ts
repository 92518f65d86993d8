/**
 * The parts of a request that authenticate it, in its Authorization header or in its query.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
import type * as http from 'node:http';

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
  | 'not-valid-yet'
  | 'expired'
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

/** A week: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
const MAX_EXPIRES_SECONDS = 604_800;

export interface PresentedSignature {
  readonly presigned: boolean;
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly time: string;
  readonly token: string | undefined;
  readonly expiresSeconds: number;
}

export function isPresigned(query: URLSearchParams): boolean {
  return query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature');
}

export function signatureOfHeaders(
  headers: SentHeaders,
  tokenHeaders: readonly string[],
): PresentedSignature {
  const header = headers.get('authorization');
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
  const time = headers.get('x-amz-date') ?? basicTime(headers.get('date'));
  if (time === undefined || timeOf(time) === undefined) {
    throw new SignatureError('no-signature', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  return {
    ...credential,
    presigned: false,
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    time,
    token: [...tokenHeaders, 'x-amz-security-token'].map((name) => headers.get(name)).find(Boolean),
    expiresSeconds: Infinity,
  };
}

export function signatureOfQuery(
  query: URLSearchParams,
  tokenHeaders: readonly string[],
): PresentedSignature {
  const parameter = (name: string): string => {
    const value = query.get(name) ?? '';
    if (value !== '') return value;
    throw new SignatureError(
      'malformed',
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  };
  const algorithm = parameter('X-Amz-Algorithm');
  if (algorithm !== ALGORITHM) throw new SignatureError('other-algorithm', algorithm);
  const credential = scopeOf(parameter('X-Amz-Credential'));
  const time = parameter('X-Amz-Date');
  if (timeOf(time) === undefined) {
    throw new SignatureError('malformed', 'X-Amz-Date must be in the ISO8601 Long Format');
  }
  const expires = parameter('X-Amz-Expires');
  if (!/^\d+$/.test(expires) || Number(expires) > MAX_EXPIRES_SECONDS) {
    const what = `X-Amz-Expires must be a number of seconds from 0 to ${MAX_EXPIRES_SECONDS}`;
    throw new SignatureError('malformed', what);
  }
  const tokens = [...tokenHeaders, 'x-amz-security-token'];
  const given = [...query].find(([name]) => tokens.includes(name.toLowerCase()));
  return {
    ...credential,
    presigned: true,
    signedHeaders: parameter('X-Amz-SignedHeaders').split(';'),
    signature: parameter('X-Amz-Signature'),
    time,
    token: given?.[1],
    expiresSeconds: Number(expires),
  };
}

function scopeOf(credential: string): Pick<PresentedSignature, 'accessKeyId' | 'day' | 'region' | 'service'> {
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

/** All headers as they were sent, because Node.js drops some repeated ones. */
export class SentHeaders {
  private readonly values = new Map<string, string[]>();

  constructor({ rawHeaders }: http.IncomingMessage) {
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = (rawHeaders[at] ?? '').toLowerCase();
      this.values.set(name, [...(this.values.get(name) ?? []), rawHeaders[at + 1] ?? '']);
    }
  }

  names(): string[] {
    return [...this.values.keys()];
  }

  get(name: string): string | undefined {
    return this.values.get(name)?.[0];
  }

  canonical(name: string): string {
    // Node.js decodes headers as Latin-1. Clients sign the UTF-8 text, so restore the bytes.
    return (this.values.get(name) ?? [])
      .map((value) => Buffer.from(value, 'latin1').toString('utf8').trim().replaceAll(/ +/g, ' '))
      .join(',');
  }
}

function malformed(what: string): SignatureError {
  return new SignatureError('malformed', `The authorization header is malformed; ${what}`);
}

/** Epoch milliseconds of `20130524T000000Z`. */
export function timeOf(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const time = Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/, '$1-$2-$3T$4:$5:'));
  return Number.isNaN(time) ? undefined : time;
}

/** The Date header in the form of `x-amz-date`. */
function basicTime(date: string | undefined): string | undefined {
  const time = Date.parse(date ?? '');
  if (Number.isNaN(time)) return undefined;
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
