/** A slice's file in S3: an asset of the stack, or an object in a bucket that `sliced-inference slice` uploads to. */
import type * as kms from 'aws-cdk-lib/aws-kms';

export interface SliceObject {
  /** `s3://bucket/key`. */
  readonly uri: string;
  readonly arn: string;
  /** KMS key of the bucket. Absent if the bucket has no customer managed key. */
  readonly encryptionKey?: kms.IKey;
}

export interface SliceObjects {
  readonly model: SliceObject;
  /** Absent if all weights are inside the model file. */
  readonly weights?: SliceObject;
}

export function filesOf({ model, weights }: SliceObjects): SliceObject[] {
  return weights ? [model, weights] : [model];
}
