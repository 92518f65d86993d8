import { RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { pipelineStack } from './pipeline-stack';

describe('the bucket of a pipeline', () => {
  const { resource, template } = pipelineStack();
  const bucket = resource('Pipeline/Bucket');

  test('is private', () => {
    expect(bucket).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  test('is encrypted with keys that S3 manages', () => {
    expect(bucket.BucketEncryption).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
  });

  test('is open to TLS 1.2 and later only', () => {
    const everything = ['{Pipeline/Bucket.Arn}', '{Pipeline/Bucket.Arn}/*'];
    const deny = {
      Action: 's3:*',
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Resource: everything,
    };
    expect(resource('Pipeline/Bucket/Policy')).toEqual({
      Bucket: '{Pipeline/Bucket}',
      PolicyDocument: {
        Statement: [
          { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          { ...deny, Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
        ],
        Version: '2012-10-17',
      },
    });
  });

  test('forgets runs after a day, requests and results after seven', () => {
    expect(bucket.LifecycleConfiguration).toEqual({
      Rules: [
        { Id: 'expire-runs', Prefix: 'runs/', ExpirationInDays: 1, Status: 'Enabled' },
        { Id: 'expire-inputs', Prefix: 'inputs/', ExpirationInDays: 7, Status: 'Enabled' },
        { Id: 'expire-outputs', Prefix: 'outputs/', ExpirationInDays: 7, Status: 'Enabled' },
        {
          Id: 'abort-uploads',
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          Status: 'Enabled',
        },
      ],
    });
  });

  test('stays when it leaves the stack, unless asked otherwise', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    pipelineStack({ removalPolicy: RemovalPolicy.DESTROY }).template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Delete',
      UpdateReplacePolicy: 'Delete',
    });
  });
});

test('encryptionKey encrypts the bucket, with a bucket key that saves calls to KMS', () => {
  const { resource } = pipelineStack((stack) => ({ encryptionKey: new kms.Key(stack, 'Key') }));
  expect(resource('Pipeline/Bucket').BucketEncryption).toEqual({
    ServerSideEncryptionConfiguration: [
      {
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: '{Key.Arn}' },
      },
    ],
  });
});

test('a bucket of the user is used as it is', () => {
  const { resources, resource, pipeline } = pipelineStack((stack) => ({
    bucket: new s3.Bucket(stack, 'Mine'),
  }));
  expect(Object.keys(resources('AWS::S3::Bucket'))).toEqual(['Mine']);
  expect(resource('Mine')).toEqual({});
  expect(resource('Pipeline/slice-00/Function')).toMatchObject({
    Environment: { Variables: { SLICE_BUCKET: '{Mine}' } },
  });
  expect(pipeline.bucket.node.path).toBe('Stack/Mine');
});
