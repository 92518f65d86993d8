/** The buckets of requests, tensors and results. */
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { checkRegion } from '../aws/bucket-region';
import { type ExpressBucket, createExpressBucket } from '../aws/express-bucket';
import { createTensorBucket, RUNS_RETENTION } from '../aws/tensor-bucket';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';

export interface Storage {
  /** Holds requests and results, and the tensors between slices if there is no Express bucket. */
  readonly bucket: s3.IBucket;
  /** Holds the tensors between slices. */
  readonly expressBucket?: ExpressBucket;
}

export function createStorage(
  scope: Construct,
  props: SlicedInferencePipelineProps,
  { removalPolicy, expressZone }: PipelineSettings,
): Storage {
  if (props.bucket) checkRegion(scope, props.bucket, 'bucket');
  const bucket = props.bucket ?? createTensorBucket(scope, 'Bucket', { ...props, removalPolicy });
  if (expressZone === undefined) return { bucket };
  const expressBucket = createExpressBucket(scope, 'TensorBucket', {
    availabilityZoneId: expressZone,
    retention: props.intermediateRetention ?? RUNS_RETENTION,
    removalPolicy,
  });
  return { bucket, expressBucket };
}
