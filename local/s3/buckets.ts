/** ListBuckets, HeadBucket and GetBucketLocation. The buckets are those of the deployed stacks. */
import type { Answer, S3Service } from './operation';
import { pageSize } from './paging';
import { isDirectoryBucket, type S3Request } from './request';
import { compareKeys } from './store';
import { element, xmlDocument } from './xml';

export const BUCKET_QUERY = ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets({ store, region }: S3Service, { query }: S3Request): Answer {
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
  const xml = xmlDocument('ListAllMyBucketsResult', [
    `<Owner>${element('ID', '0'.repeat(64))}</Owner>`,
    `<Buckets>${buckets.join('')}</Buckets>`,
    element('ContinuationToken', token),
    element('Prefix', prefix === '' ? undefined : prefix),
  ]);
  return { xml };
}

export function headBucket({ store, region }: S3Service, { bucket }: S3Request): Answer {
  store.checkBucket(bucket);
  return { headers: { 'x-amz-bucket-region': region } };
}

/** Empty for us-east-1: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html */
export function bucketLocation({ store, region }: S3Service, { bucket }: S3Request): Answer {
  store.checkBucket(bucket);
  return { xml: xmlDocument('LocationConstraint', [region === 'us-east-1' ? '' : region]) };
}
