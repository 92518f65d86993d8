/** The operations of buckets, which are those of the deployed stacks: listing them and their objects, and sessions. */
import { escapeUriPath } from '@smithy/core/protocols';
import { CHECKSUM_TYPE } from './checksums';
import { invalidArgument, notImplemented } from './errors';
import { checkEncryption } from './headers';
import { isDirectoryBucket, pageSize, type S3Request } from './request';
import type { Answer, S3Service } from './service';
import { compareKeys, type StoredObject } from './store';
import { xmlDocument, type XmlFields } from './xml';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html, all in one page: no stack has as many as a page holds. */
export function listBuckets({ store, region }: S3Service): Answer {
  const buckets = store
    .bucketNames()
    .filter((name) => !isDirectoryBucket(name))
    .map((name) => ({
      Name: name,
      CreationDate: store.createdAt.toISOString(),
      BucketRegion: region,
    }));
  const fields = { Owner: { ID: '0'.repeat(64) }, Buckets: { Bucket: buckets } };
  return { xml: xmlDocument('ListAllMyBucketsResult', fields) };
}

export function headBucket({ store, region }: S3Service, { bucket }: S3Request): Answer {
  store.checkBucket(bucket);
  return { headers: { 'x-amz-bucket-region': region } };
}

const SESSION_MS = 5 * 60_000;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html, which the SDK calls before it uses a directory bucket. */
export function createSession({ store, callers, authorization }: S3Service, request: S3Request): Answer {
  const { bucket } = request;
  checkEncryption(request.headers);
  store.checkBucket(bucket);
  if (!isDirectoryBucket(bucket))
    throw notImplemented('CreateSession for a bucket that is not a directory bucket');
  const expires = Date.now() + SESSION_MS;
  const session = { bucket, readOnly: authorization.sessionMode(request) === 'ReadOnly' };
  const key = callers.addSession(request.caller, session, expires);
  const credentials = {
    AccessKeyId: key.accessKeyId,
    SecretAccessKey: key.secretAccessKey,
    SessionToken: key.sessionToken,
    Expiration: new Date(expires).toISOString(),
  };
  return { xml: xmlDocument('CreateSessionResult', { Credentials: credentials }) };
}

/** An object, or without one the text up to a delimiter with which the keys of several objects begin. */
interface Entry {
  readonly key: string;
  readonly object?: StoredObject;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjects({ store }: S3Service, { query, bucket }: S3Request): Answer {
  const version = query.get('list-type');
  if (version !== '2') throw notImplemented(`ListObjects with list-type=${version ?? ''}`);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = pageSize(query, 'max-keys');
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const after = token === null ? (startAfter ?? '') : keyOf(token);
  const text = encoder(query.get('encoding-type'));

  const entries = entriesOf(store.list(bucket, prefix), prefix, delimiter, after, maxKeys + 1);
  const page = entries.slice(0, maxKeys);
  const last = page.at(-1);
  const truncated = last !== undefined && page.length < entries.length;
  const xml = xmlDocument('ListBucketResult', {
    Name: bucket,
    Prefix: text(prefix),
    Delimiter: delimiter === '' ? undefined : text(delimiter),
    MaxKeys: maxKeys,
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: page.length,
    IsTruncated: truncated,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: truncated ? Buffer.from(last.key).toString('base64url') : undefined,
    StartAfter: startAfter === null ? undefined : text(startAfter),
    Contents: page.flatMap(({ object }) => (object ? [contents(bucket, object, text)] : [])),
    CommonPrefixes: page.flatMap(({ key, object }) => (object ? [] : [{ Prefix: text(key) }])),
  });
  return { xml };
}

/** The first entries in the order of their keys and prefixes, after the given key or prefix. */
function entriesOf(
  objects: Iterable<StoredObject>,
  prefix: string,
  delimiter: string,
  after: string,
  count: number,
): Entry[] {
  const entries: Entry[] = [];
  let common: string | undefined;
  for (const object of objects) {
    if (entries.length === count) break;
    const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      if (compareKeys(object.key, after) > 0) entries.push({ key: object.key, object });
      continue;
    }
    const commonPrefix = object.key.slice(0, end + delimiter.length);
    // A page may end with the prefix itself, and `start-after` may name a key below it.
    if (commonPrefix === common || commonPrefix === after || compareKeys(object.key, after) <= 0) continue;
    common = commonPrefix;
    entries.push({ key: commonPrefix });
  }
  return entries;
}

function keyOf(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (token !== '' && Buffer.from(key).toString('base64url') === token) return key;
  throw invalidArgument('continuation-token', 'The continuation token provided is incorrect', token);
}

/** With the encoding type `url`, clients decode keys that XML could not hold. */
function encoder(type: string | null): (text: string) => string {
  if (type === null) return (text) => text;
  if (type === 'url') return escapeUriPath;
  throw invalidArgument('encoding-type', 'Invalid Encoding Method specified in Request', type);
}

function contents(bucket: string, object: StoredObject, text: (key: string) => string): XmlFields {
  return {
    Key: text(object.key),
    LastModified: object.lastModified.toISOString(),
    ETag: object.etag,
    ChecksumAlgorithm: object.checksum.algorithm.toUpperCase(),
    ChecksumType: CHECKSUM_TYPE,
    Size: object.size,
    StorageClass: isDirectoryBucket(bucket) ? 'EXPRESS_ONEZONE' : 'STANDARD',
  };
}
