/** Conditions in headers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html */
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './errors';
import type { Headers } from './request';

interface Version {
  readonly etag: string;
  readonly lastModified: Date;
}

export interface WriteCondition {
  readonly ifAbsent: boolean;
  /** An ETag. */
  readonly ifMatch?: string;
}

export function writeCondition(headers: Headers, operation: string): WriteCondition | undefined {
  const ifNoneMatch = headers['if-none-match']?.trim();
  const ifMatch = headers['if-match']?.trim();
  for (const name of ['if-modified-since', 'if-unmodified-since']) {
    if (headers[name] !== undefined) throw notImplemented(`${operation} with the header ${name}`);
  }
  if (ifNoneMatch === undefined && ifMatch === undefined) return undefined;
  if (ifNoneMatch !== undefined && (ifNoneMatch !== '*' || ifMatch !== undefined)) {
    throw notImplemented(
      `${operation} with If-None-Match: ${ifNoneMatch}${ifMatch === undefined ? '' : ' and If-Match'}`,
    );
  }
  if (ifMatch === '*') throw notImplemented(`${operation} with If-Match: *`);
  return { ifAbsent: ifNoneMatch !== undefined, ...(ifMatch !== undefined && { ifMatch }) };
}

/** An ETag, or `*` for any object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html */
export function deleteCondition(headers: Headers): WriteCondition | undefined {
  for (const name of ['if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    if (headers[name] !== undefined) throw notImplemented(`DeleteObject with the header ${name}`);
  }
  const ifMatch = headers['if-match']?.trim();
  return ifMatch === undefined ? undefined : { ifAbsent: false, ifMatch };
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

/** @throws S3Error `PreconditionFailed`, or `NotModified` when the client has this version already */
export function checkRead(headers: Headers, version: Version): void {
  checkConditions(headers, '', version, new S3Error('NotModified'));
}

/** The same for the source of a copy, whose headers have other names. S3 answers 412 to all of them. */
export function checkCopySource(headers: Headers, version: Version): void {
  const unchanged = preconditionFailed('x-amz-copy-source-If-None-Match');
  checkConditions(headers, 'x-amz-copy-source-', version, unchanged);
}

/** ETags take precedence over times: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
function checkConditions(
  headers: Headers,
  prefix: string,
  { etag, lastModified }: Version,
  unchanged: S3Error,
): void {
  const ifMatch = headers[`${prefix}if-match`];
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const modified = Math.floor(lastModified.getTime() / 1000) * 1000;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, etag)) throw preconditionFailed('If-Match');
  } else if (modified > timeOf(headers[`${prefix}if-unmodified-since`], Infinity))
    throw preconditionFailed('If-Unmodified-Since');
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, etag)) throw unchanged;
  } else if (modified <= timeOf(headers[`${prefix}if-modified-since`], -Infinity)) throw unchanged;
}

/** A time that cannot be read, or that is in the future, is no condition. */
function timeOf(header: string | undefined, none: number): number {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) || time > Date.now() + 1000 ? none : time;
}

/** Clients may omit the quotes of an ETag. */
function matches(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((each) => each.trim().replace(/^W\//, ''))
    .some((each) => each === '*' || each === etag || `"${each}"` === etag);
}
