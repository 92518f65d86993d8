/**
 * The parts of a request that authenticate it, in its Authorization header.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
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

export interface PresentedSignature {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly time: string;
  readonly token: string | undefined;
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
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    time,
    token: [...tokenHeaders, 'x-amz-security-token'].map((name) => headers.get(name)).find(Boolean),
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
