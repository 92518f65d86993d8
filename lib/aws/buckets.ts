/** The S3 Express One Zone directory bucket for the tensors between slices, and the region of any bucket. */
import { type Duration, type RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3express from 'aws-cdk-lib/aws-s3express';
import type { Construct } from 'constructs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { RUNS_PREFIX } from '../../contract/keys';
import { SlicedInferenceError } from '../errors';

export interface ExpressBucket {
  readonly bucketName: string;
  readonly bucketArn: string;
}

export function createExpressBucket(
  scope: Construct,
  id: string,
  locationName: string,
  retention: Duration,
  removalPolicy: RemovalPolicy,
): ExpressBucket {
  const bucket = new s3express.CfnDirectoryBucket(scope, id, {
    dataRedundancy: 'SingleAvailabilityZone',
    locationName,
    bucketEncryption: {
      serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
    },
    lifecycleConfiguration: {
      rules: [
        { id: 'expire-runs', prefix: RUNS_PREFIX, status: 'Enabled', expirationInDays: retention.toDays() },
      ],
    },
  });
  bucket.applyRemovalPolicy(removalPolicy);
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

/**
 * The functions' S3 client asks the S3 of the functions' own region, which answers requests for a bucket elsewhere with a
 * redirect that the client does not follow. If a region is known only at deployment, this checks nothing.
 *
 * @param what the bucket's name in the error
 * @throws SlicedInferenceError if both regions are known and differ
 */
export function checkRegion(scope: Construct, bucket: s3.IBucket, what: string): void {
  const { region } = Stack.of(scope);
  const { region: own } = bucket.env;
  if (own === region || Token.isUnresolved(own) || Token.isUnresolved(region)) return;
  throw new SlicedInferenceError(
    `${what} must be in the region of the stack, ${region}`,
    own,
    'use a bucket in that region, or deploy the stack in the region of the bucket',
  );
}
