/** A slice's file in S3: an asset of the stack, or an object of a bucket that is filled by someone else. */
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';

export interface SliceObject {
  /** `s3://bucket/key`. */
  readonly uri: string;
  readonly arn: string;
  /** The key that its bucket is encrypted under, where the bucket has one of its own. */
  readonly encryptionKey?: kms.IKey;
}

/** The files of one slice. */
export interface SliceObjects {
  readonly model: SliceObject;
  /** Absent when all weights lie in the graph. */
  readonly weights?: SliceObject;
}

/** @param encryptionKey key of the bucket that assets are deployed through, where it has one of its own */
export function assetObject(asset: Asset, encryptionKey?: kms.IKey): SliceObject {
  return {
    uri: asset.s3ObjectUrl,
    arn: asset.bucket.arnForObjects(asset.s3ObjectKey),
    ...(encryptionKey && { encryptionKey }),
  };
}

export function bucketObject(bucket: s3.IBucket, key: string): SliceObject {
  return {
    uri: bucket.s3UrlForObject(key),
    arn: bucket.arnForObjects(key),
    ...(bucket.encryptionKey && { encryptionKey: bucket.encryptionKey }),
  };
}
