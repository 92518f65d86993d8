/** The buckets of requests, tensors and results, and the permissions of callers, writers of requests and readers of results. */
import { type RemovalPolicy, Duration } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { INPUTS_PREFIX, OUTPUTS_PREFIX, RUNS_PREFIX } from '../../contract/keys';
import { checkRegion, type ExpressBucket, createExpressBucket } from '../aws/buckets';
import type { SlicedInferencePipelineProps } from './pipeline-props';
import type { PipelineSettings } from './settings';
import { keyUseStatement } from '../aws/key';

export interface Storage {
  readonly bucket: s3.IBucket;
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
  const retention = props.intermediateRetention ?? RUNS_RETENTION;
  const expressBucket = createExpressBucket(scope, 'TensorBucket', expressZone, retention, removalPolicy);
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

export function grantReader(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return onObjects(['s3:GetObject'], OUTPUTS_PREFIX, bucket, grantee).combine(
    useKey(bucket, grantee, ['kms:Decrypt']),
  );
}

/** S3 reads nothing with the key, because such an object has one part. */
export function grantWriter(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return onObjects(['s3:PutObject'], INPUTS_PREFIX, bucket, grantee).combine(
    useKey(bucket, grantee, ['kms:GenerateDataKey']),
  );
}

export function grantCaller(
  stateMachine: sfn.StateMachine,
  isExpress: boolean,
  bucket: s3.IBucket,
  grantee: iam.IGrantable,
): iam.Grant {
  const start = iam.Grant.addToPrincipal({
    grantee,
    // CDK's own grantStartExecution omits StartSyncExecution of Express state machines. Callers need DescribeStateMachine
    // because the definition holds the bucket for their requests.
    actions: [
      'states:StartExecution',
      ...(isExpress ? ['states:StartSyncExecution'] : []),
      'states:DescribeStateMachine',
    ],
    resourceArns: [stateMachine.stateMachineArn],
  });
  // A client polls, reports the states, and stops an execution for which its caller no longer waits.
  const followed = ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:StopExecution'];
  const grants = isExpress ? [] : [stateMachine.grantExecution(grantee, ...followed)];
  return [...grants, grantObjects(bucket, grantee)].reduce((all, grant) => all.combine(grant), start);
}

/** Requests and results in S3. */
export function grantObjects(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return [
    onObjects(['s3:PutObject'], INPUTS_PREFIX, bucket, grantee),
    onObjects(['s3:GetObject'], OUTPUTS_PREFIX, bucket, grantee),
    useKey(bucket, grantee, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ].reduce((all, grant) => all.combine(grant));
}

export function onObjects(
  actions: string[],
  prefix: string,
  bucket: s3.IBucket,
  grantee: iam.IGrantable,
): iam.Grant {
  const resourceArns = [bucket.arnForObjects(`${prefix}*`)];
  return iam.Grant.addToPrincipalOrResource({ grantee, actions, resourceArns, resource: bucket });
}

export function useKey(
  { encryptionKey: key }: s3.IBucket,
  grantee: iam.IGrantable,
  uses: string[],
): iam.Grant {
  if (!key) return iam.Grant.drop(grantee, 'the bucket has no key');
  const statement = keyUseStatement(key, uses);
  return iam.Grant.addToPrincipalOrResource({
    ...{ grantee, actions: statement.actions, resourceArns: statement.resources, resource: key },
    conditions: statement.conditions as Record<string, Record<string, unknown>>,
  });
}
