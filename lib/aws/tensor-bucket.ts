/** The bucket of requests, intermediate tensors and results. */
import { type RemovalPolicy, Duration } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { INPUTS_PREFIX, OUTPUTS_PREFIX, RUNS_PREFIX } from '../../contract/keys';

/** A run takes minutes. One day leaves time to investigate a failed run. */
export const RUNS_RETENTION = Duration.days(1);
/** Callers decide when they upload requests and read results, so these are kept for longer. */
const CALLERS_RETENTION = Duration.days(7);

interface TensorBucketProps {
  readonly encryptionKey?: kms.IKey;
  readonly intermediateRetention?: Duration;
  readonly outputRetention?: Duration;
  readonly removalPolicy: RemovalPolicy;
  readonly autoDeleteObjects?: boolean;
}

export function createTensorBucket(scope: Construct, id: string, props: TensorBucketProps): s3.Bucket {
  const { encryptionKey, autoDeleteObjects } = props;
  const runs = props.intermediateRetention ?? RUNS_RETENTION;
  const callers = props.outputRetention ?? CALLERS_RETENTION;
  const expire = (prefix: string, expiration: Duration): s3.LifecycleRule => ({
    id: `expire-${prefix.replace('/', '')}`,
    prefix,
    expiration,
  });
  return new s3.Bucket(scope, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    ...(encryptionKey
      ? { encryption: s3.BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: s3.BucketEncryption.S3_MANAGED }),
    removalPolicy: props.removalPolicy,
    ...(autoDeleteObjects !== undefined && { autoDeleteObjects }),
    lifecycleRules: [
      expire(RUNS_PREFIX, runs),
      expire(INPUTS_PREFIX, callers),
      expire(OUTPUTS_PREFIX, callers),
      { id: 'abort-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
  });
}
