/** The directory bucket of S3 Express One Zone that tensors between slices may pass through. */
import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3express from 'aws-cdk-lib/aws-s3express';
import type { Construct } from 'constructs';
import { RUNS_PREFIX } from '../../contract/keys';

/** What a slice function needs to know of the bucket. */
export interface ExpressBucket {
  readonly bucketName: string;
  readonly bucketArn: string;
}

export interface ExpressBucketProps {
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

/** Expiry needs a right of its own here: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-buckets-objects-lifecycle.html */
function lifecycle(bucketArn: string): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'Expire',
    principals: [new iam.ServicePrincipal('lifecycle.s3.amazonaws.com')],
    actions: ['s3express:CreateSession'],
    resources: [bucketArn],
    conditions: { StringEquals: { 's3express:SessionMode': 'ReadWrite' } },
  });
}

/** Sessions are of the bucket as a whole: who writes nothing there gets one to read. */
export function sessionStatement(bucketArn: string, writes: boolean): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'PassTensors',
    actions: ['s3express:CreateSession'],
    resources: [bucketArn],
    ...(!writes && { conditions: { StringEquals: { 's3express:SessionMode': 'ReadOnly' } } }),
  });
}
