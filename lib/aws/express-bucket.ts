/** The S3 Express One Zone directory bucket for the tensors between slices. */
import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3express from 'aws-cdk-lib/aws-s3express';
import type { Construct } from 'constructs';
import { RUNS_PREFIX } from '../../contract/keys';

export interface ExpressBucket {
  readonly bucketName: string;
  readonly bucketArn: string;
}

interface ExpressBucketProps {
  readonly availabilityZoneId: string;
  /** In whole days. */
  readonly retention: Duration;
  readonly removalPolicy: RemovalPolicy;
}

export function createExpressBucket(scope: Construct, id: string, props: ExpressBucketProps): ExpressBucket {
  const bucket = new s3express.CfnDirectoryBucket(scope, id, {
    dataRedundancy: 'SingleAvailabilityZone',
    locationName: props.availabilityZoneId,
    bucketEncryption: {
      serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
    },
    lifecycleConfiguration: {
      rules: [
        {
          id: 'expire-runs',
          prefix: RUNS_PREFIX,
          status: 'Enabled',
          expirationInDays: props.retention.toDays(),
        },
      ],
    },
  });
  bucket.applyRemovalPolicy(props.removalPolicy);
  const { ref: bucketName, attrArn: bucketArn } = bucket;
  new s3express.CfnBucketPolicy(scope, `${id}Policy`, {
    bucket: bucketName,
    policyDocument: new iam.PolicyDocument({ statements: [onlyWithTls(bucketArn), lifecycle(bucketArn)] }),
  });
  return { bucketName, bucketArn };
}

function onlyWithTls(bucketArn: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'OnlyWithTls',
    effect: iam.Effect.DENY,
    principals: [new iam.AnyPrincipal()],
    actions: ['s3express:*'],
    resources: [bucketArn],
    conditions: { Bool: { 'aws:SecureTransport': 'false' } },
  });
}

/** In a directory bucket the lifecycle rules need their own permission: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-buckets-objects-lifecycle.html */
function lifecycle(bucketArn: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'Expire',
    principals: [new iam.ServicePrincipal('lifecycle.s3.amazonaws.com')],
    actions: ['s3express:CreateSession'],
    resources: [bucketArn],
    conditions: { StringEquals: { 's3express:SessionMode': 'ReadWrite' } },
  });
}

/** A session covers the whole bucket. A slice that writes nothing to the bucket gets a read-only session. */
export function sessionStatement(bucketArn: string, writes: boolean): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'PassTensors',
    actions: ['s3express:CreateSession'],
    resources: [bucketArn],
    ...(!writes && { conditions: { StringEquals: { 's3express:SessionMode': 'ReadOnly' } } }),
  });
}
