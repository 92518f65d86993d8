/** A slice's file in S3: an asset of the stack, or an object in a bucket that `sliced-inference slice` uploads to. */
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';

export interface SliceObject {
  /** `s3://bucket/key`. */
  readonly uri: string;
  readonly arn: string;
  /** KMS key of the bucket. Absent if the bucket has no customer managed key. */
  readonly encryptionKey?: kms.IKey;
}

/** The files of one slice. */
export interface SliceObjects {
  readonly model: SliceObject;
  /** Absent if all weights are inside the model file. */
  readonly weights?: SliceObject;
}

export function filesOf({ model, weights }: SliceObjects): SliceObject[] {
  return weights ? [model, weights] : [model];
}

/** @param encryptionKey customer managed key of the bucket that assets are deployed through */
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
