/** ListObjectsV2: keys below a prefix, page by page. Delimiters are not supported. */
import { pageSize } from './paging';
import type { S3Request } from './request';
import { compareKeys, type DiskObjectStore, type StoredObject } from './store';
import { element, xmlDocument } from './xml';

export const LIST_QUERY = ['list-type', 'prefix', 'max-keys', 'continuation-token', 'start-after'] as const;

export function listObjects(store: DiskObjectStore, request: S3Request): string {
  const { query, bucket } = request;
  const prefix = query.get('prefix') ?? '';
  const maxKeys = pageSize(query, 'max-keys');
  const token = query.get('continuation-token');
  const after =
    token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();

  const all = store.list(bucket, prefix).filter((object) => compareKeys(object.key, after) > 0);
  const page = all.slice(0, maxKeys);
  const last = page.at(-1);
  const truncated = last !== undefined && page.length < all.length;
  const fields = [
    element('Name', bucket),
    element('Prefix', prefix),
    element('MaxKeys', maxKeys),
    element('KeyCount', page.length),
    element('IsTruncated', truncated),
    element('ContinuationToken', token ?? undefined),
    element('NextContinuationToken', truncated ? Buffer.from(last.key).toString('base64url') : undefined),
    ...page.map(contents),
  ];
  return xmlDocument('ListBucketResult', fields);
}

function contents(object: StoredObject): string {
  const fields = [
    element('Key', object.key),
    element('LastModified', object.lastModified.toISOString()),
    element('ETag', object.etag),
    element('Size', object.size),
    element('StorageClass', 'STANDARD'),
  ];
  return `<Contents>${fields.join('')}</Contents>`;
}
