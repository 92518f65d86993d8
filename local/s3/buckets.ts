/** ListBuckets, HeadBucket and GetBucketLocation. The buckets are those of the deployed stacks. */
import { pageSize } from './paging';
import { type S3Request, isDirectoryBucket } from './request';
import { knownHeaders } from './request-headers';
import { compareKeys, type DiskObjectStore } from './store';
import { element, xmlDocument } from './xml';

export const LIST_BUCKETS_QUERY = ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets(store: DiskObjectStore, request: S3Request, region: string): string {
  knownHeaders(request, 'ListBuckets');
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString();
  const elsewhere = (query.get('bucket-region') ?? region) !== region;
  const all = store
    .bucketNames()
    .filter((name) => !isDirectoryBucket(name) && name.startsWith(prefix) && !elsewhere)
    .filter((name) => compareKeys(name, after) > 0);
  const page = all.slice(0, query.has('max-buckets') ? pageSize(query, 'max-buckets') : all.length);
  const last = page.at(-1);
  const token =
    last !== undefined && page.length < all.length ? Buffer.from(last).toString('base64url') : undefined;
  const buckets = page.map((name) => {
    const fields = [
      element('Name', name),
      element('CreationDate', store.createdAt(name).toISOString()),
      element('BucketRegion', region),
    ];
    return `<Bucket>${fields.join('')}</Bucket>`;
  });
  return xmlDocument('ListAllMyBucketsResult', [
    `<Owner>${element('ID', '0'.repeat(64))}</Owner>`,
    `<Buckets>${buckets.join('')}</Buckets>`,
    element('ContinuationToken', token),
    element('Prefix', prefix === '' ? undefined : prefix),
  ]);
}

/** Empty for us-east-1: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export function bucketLocation(store: DiskObjectStore, request: S3Request, region: string): string {
  knownHeaders(request, 'GetBucketLocation');
  store.checkBucket(request.bucket);
  return xmlDocument('LocationConstraint', [region === 'us-east-1' ? '' : region]);
}
