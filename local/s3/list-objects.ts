/** ListObjectsV2: keys below a prefix, page by page: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
import { encodePath } from '../http/uri';
import { invalidArgument, notImplemented } from './errors';
import { storageClassOf } from './object-headers';
import type { Answer, S3Service } from './operation';
import { pageSize } from './paging';
import type { S3Request } from './request';
import { compareKeys, type StoredObject } from './store';
import { element, xmlDocument } from './xml';

export const LIST_QUERY = [
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'encoding-type',
] as const;

/** An object, or all objects whose keys begin with the same text up to a delimiter. */
type Entry = { readonly object: StoredObject } | { readonly commonPrefix: string };

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
  const fields = [
    element('Name', bucket),
    element('Prefix', text(prefix)),
    element('Delimiter', delimiter === '' ? undefined : text(delimiter)),
    element('MaxKeys', maxKeys),
    element('EncodingType', query.get('encoding-type') ?? undefined),
    element('KeyCount', page.length),
    element('IsTruncated', truncated),
    element('ContinuationToken', token ?? undefined),
    element('NextContinuationToken', truncated ? tokenOf(last) : undefined),
    element('StartAfter', startAfter === null ? undefined : text(startAfter)),
    ...page.flatMap((entry) => ('object' in entry ? contents(bucket, entry.object, text) : [])),
    ...page.flatMap((entry) =>
      'commonPrefix' in entry
        ? `<CommonPrefixes>${element('Prefix', text(entry.commonPrefix))}</CommonPrefixes>`
        : [],
    ),
  ];
  return { xml: xmlDocument('ListBucketResult', fields) };
}

/** The first entries in the order of their keys and prefixes, after the given key or prefix. */
function entriesOf(
  objects: readonly StoredObject[],
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
      if (compareKeys(object.key, after) > 0) entries.push({ object });
      continue;
    }
    const commonPrefix = object.key.slice(0, end + delimiter.length);
    // A page may end with the prefix itself, and `start-after` may name a key below it.
    if (commonPrefix === common || commonPrefix === after || compareKeys(object.key, after) <= 0) continue;
    common = commonPrefix;
    entries.push({ commonPrefix });
  }
  return entries;
}

function tokenOf(entry: Entry): string {
  return Buffer.from('object' in entry ? entry.object.key : entry.commonPrefix).toString('base64url');
}

function keyOf(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (token !== '' && Buffer.from(key).toString('base64url') === token) return key;
  throw invalidArgument('continuation-token', 'The continuation token provided is incorrect', token);
}

/** With the encoding type `url`, clients decode keys that XML could not hold. */
function encoder(type: string | null): (text: string) => string {
  if (type === null) return (text) => text;
  if (type === 'url') return encodePath;
  throw invalidArgument('encoding-type', 'Invalid Encoding Method specified in Request', type);
}

function contents(bucket: string, object: StoredObject, text: (key: string) => string): string {
  const fields = [
    element('Key', text(object.key)),
    element('LastModified', object.lastModified.toISOString()),
    element('ETag', object.etag),
    element('ChecksumAlgorithm', object.checksum.algorithm.toUpperCase()),
    element('ChecksumType', object.checksum.type),
    element('Size', object.size),
    element('StorageClass', storageClassOf(bucket, object)),
  ];
  return `<Contents>${fields.join('')}</Contents>`;
}
