/** Conditions on ETags in headers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html */
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './errors';
import type { Headers } from './request';

interface Version {
  readonly etag: string;
}

export interface WriteCondition {
  readonly ifAbsent: boolean;
  /** An ETag. */
  readonly ifMatch?: string;
}

export function writeCondition(headers: Headers, operation: string): WriteCondition | undefined {
  const ifNoneMatch = headers['if-none-match']?.trim();
  const ifMatch = headers['if-match']?.trim();
  refuseTimes(headers);
  if (ifNoneMatch === undefined && ifMatch === undefined) return undefined;
  const absent = ifMatch === undefined && ifNoneMatch === '*';
  const matching = ifNoneMatch === undefined && ifMatch !== '*';
  if (absent || matching) return { ifAbsent: absent, ...(ifMatch !== undefined && { ifMatch }) };
  const named = { 'If-Match': ifMatch, 'If-None-Match': ifNoneMatch };
  const given = Object.entries(named).flatMap(([name, value]) => (value ? [`${name}: ${value}`] : []));
  throw notImplemented(`${operation} with ${given.join(' and ')}`);
}

export function checkWrite(
  key: string,
  condition: WriteCondition | undefined,
  current: Version | undefined,
): void {
  if (condition === undefined) return;
  if (condition.ifAbsent && current !== undefined) throw preconditionFailed('If-None-Match');
  if (condition.ifMatch === undefined) return;
  if (current === undefined) throw noSuchKey(key);
  if (!matches(condition.ifMatch, current.etag)) throw preconditionFailed('If-Match');
}

/**
 * Checks again when the last byte has arrived: the first conditional write to finish wins. If the expected version was deleted
 * meanwhile, S3 answers 409: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function checkAgain(
  key: string,
  condition: WriteCondition | undefined,
  current: Version | undefined,
): void {
  if (condition?.ifMatch !== undefined && current === undefined) {
    throw new S3Error('ConditionalRequestConflict', undefined, { Condition: 'If-Match' });
  }
  checkWrite(key, condition, current);
}

/** Whether the client has this version already. @throws S3Error `PreconditionFailed` */
export function isUnmodified(headers: Headers, { etag }: Version): boolean {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  // ETags take precedence over times: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  if (ifMatch === undefined && ifNoneMatch === undefined) refuseTimes(headers);
  if (ifMatch !== undefined && !matches(ifMatch, etag)) throw preconditionFailed('If-Match');
  return ifNoneMatch !== undefined && matches(ifNoneMatch, etag);
}

function refuseTimes(headers: Headers): void {
  for (const name of ['if-modified-since', 'if-unmodified-since']) {
    if (headers[name] !== undefined) {
      throw notImplemented(`the condition ${name}: use a condition on the ETag`);
    }
  }
}

/** Clients may omit the quotes of an ETag. */
function matches(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((each) => each.trim().replace(/^W\//, ''))
    .some((each) => each === '*' || each === etag || `"${each}"` === etag);
}
