/** The buckets of requests, tensors and results. */
import { type RemovalPolicy, Duration } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { INPUTS_PREFIX, OUTPUTS_PREFIX, RUNS_PREFIX } from '../../contract/keys';
import { checkRegion } from '../aws/bucket-region';
import { type ExpressBucket, createExpressBucket } from '../aws/express-bucket';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';

export interface Storage {
  /** Holds requests and results, and the tensors between slices if there is no Express bucket. */
  readonly bucket: s3.IBucket;
  /** Holds the tensors between slices. */
  readonly expressBucket?: ExpressBucket;
}

/** A run takes minutes. One day leaves time to investigate a failed run. */
const RUNS_RETENTION = Duration.days(1);
/** Callers decide when they upload requests and read results, so these are kept for longer. */
const CALLERS_RETENTION = Duration.days(7);

export function createStorage(
  scope: Construct,
  props: SlicedInferencePipelineProps,
  { removalPolicy, expressZone }: PipelineSettings,
): Storage {
  if (props.bucket) checkRegion(scope, props.bucket, 'bucket');
  const bucket = props.bucket ?? createBucket(scope, props, removalPolicy);
  if (expressZone === undefined) return { bucket };
  const expressBucket = createExpressBucket(scope, 'TensorBucket', {
    availabilityZoneId: expressZone,
    retention: props.intermediateRetention ?? RUNS_RETENTION,
    removalPolicy,
  });
  return { bucket, expressBucket };
}

function createBucket(
  scope: Construct,
  props: SlicedInferencePipelineProps,
  removalPolicy: RemovalPolicy,
): s3.Bucket {
  const { encryptionKey, autoDeleteObjects, intermediateRetention, outputRetention } = props;
  const expire = (prefix: string, expiration: Duration): s3.LifecycleRule => ({
    id: `expire-${prefix.replace('/', '')}`,
    prefix,
    expiration,
  });
  return new s3.Bucket(scope, 'Bucket', {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    ...(encryptionKey
      ? { encryption: s3.BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: s3.BucketEncryption.S3_MANAGED }),
    removalPolicy,
    ...(autoDeleteObjects !== undefined && { autoDeleteObjects }),
    lifecycleRules: [
      expire(RUNS_PREFIX, intermediateRetention ?? RUNS_RETENTION),
      expire(INPUTS_PREFIX, outputRetention ?? CALLERS_RETENTION),
      expire(OUTPUTS_PREFIX, outputRetention ?? CALLERS_RETENTION),
      { id: 'abort-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
  });
}
