/** Pipelines that store the tensors between slices in S3 Express One Zone. */
import { Duration, Lazy, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Slicing, TensorStore } from '../../../lib';
import { type ShortTemplate, errorOf, pipelineStack } from '../../support/pipeline-stack';

const tensorStore = TensorStore.s3ExpressOneZone('use1-az5');
const express = pipelineStack({ slicing: Slicing.count(3), tensorStore });

interface Statement {
  readonly Sid: string;
  readonly Action: string;
  readonly Resource: unknown;
  readonly Condition?: object;
}

function statements({ resource }: ShortTemplate, slice: string): Statement[] {
  const { PolicyDocument } = resource(`Pipeline/${slice}/Role/Policy`) as {
    PolicyDocument: { Statement: Statement[] };
  };
  return PolicyDocument.Statement.filter(({ Sid }) => Sid.endsWith('Tensors'));
}

test('S3 Express One Zone creates an encrypted directory bucket in the zone that expires runs after a day', () => {
  expect(express.resource('Pipeline/TensorBucket')).toEqual({
    DataRedundancy: 'SingleAvailabilityZone',
    LocationName: 'use1-az5',
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    },
    LifecycleConfiguration: {
      Rules: [{ Id: 'expire-runs', Prefix: 'runs/', Status: 'Enabled', ExpirationInDays: 1 }],
    },
  });
});

test('the directory bucket allows only TLS, and lets S3 expire objects', () => {
  const { PolicyDocument } = express.resource('Pipeline/TensorBucketPolicy') as {
    PolicyDocument: { Statement: object[] };
  };
  expect(PolicyDocument.Statement).toEqual([
    {
      Sid: 'OnlyWithTls',
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 's3express:*',
      Resource: '{Pipeline/TensorBucket.Arn}',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    {
      Sid: 'Expire',
      Effect: 'Allow',
      Principal: { Service: 'lifecycle.s3.amazonaws.com' },
      Action: 's3express:CreateSession',
      Resource: '{Pipeline/TensorBucket.Arn}',
      Condition: { StringEquals: { 's3express:SessionMode': 'ReadWrite' } },
    },
  ]);
});

test('functions access the directory bucket by sessions, and the pipeline’s bucket by exact keys', () => {
  const session = { Sid: 'PassTensors', Effect: 'Allow', Action: 's3express:CreateSession' };
  const anywhere = { ...session, Resource: '{Pipeline/TensorBucket.Arn}' };
  const readOnly = { ...anywhere, Condition: { StringEquals: { 's3express:SessionMode': 'ReadOnly' } } };
  expect(statements(express, 'slice-00')).toEqual([
    expect.objectContaining({ Sid: 'ReadTensors', Resource: '{Pipeline/Bucket.Arn}/inputs/*' }),
    anywhere,
  ]);
  expect(statements(express, 'slice-01')).toEqual([anywhere]);
  expect(statements(express, 'slice-02')).toEqual([
    expect.objectContaining({ Sid: 'WriteTensors', Resource: '{Pipeline/Bucket.Arn}/outputs/*.safetensors' }),
    expect.objectContaining({ Sid: 'ReadTensors', Resource: '{Pipeline/Bucket.Arn}/outputs/*.safetensors' }),
    readOnly,
  ]);
});

test('functions get the names of both buckets', () => {
  expect(express.resource('Pipeline/slice-01/Function')).toMatchObject({
    Environment: {
      Variables: { SLICE_BUCKET: '{Pipeline/Bucket}', SLICE_RUNS_BUCKET: '{Pipeline/TensorBucket}' },
    },
  });
});

test('the directory bucket follows intermediateRetention and removalPolicy, even with a bucket of the user', () => {
  const { template, resource } = pipelineStack((stack) => ({
    tensorStore,
    bucket: new s3.Bucket(stack, 'Mine'),
    intermediateRetention: Duration.days(3),
    removalPolicy: RemovalPolicy.DESTROY,
  }));
  expect(resource('Pipeline/TensorBucket')).toMatchObject({
    LifecycleConfiguration: { Rules: [{ ExpirationInDays: 3 }] },
  });
  template.hasResource('AWS::S3Express::DirectoryBucket', { DeletionPolicy: 'Delete' });
});

test('the function of a single slice gets no session', () => {
  expect(statements(pipelineStack({ tensorStore }), 'slice-00').map(({ Sid }) => Sid)).toEqual([
    'WriteTensors',
    'ReadTensors',
  ]);
});

test('S3 Standard is the default and creates no directory bucket', () => {
  const standard = pipelineStack({ tensorStore: TensorStore.s3Standard() });
  expect(standard.resources('AWS::S3Express::DirectoryBucket')).toEqual({});
  expect(standard.template.toJSON()).toEqual(pipelineStack().template.toJSON());
});

describe('TensorStore.s3ExpressOneZone', () => {
  test.each(['us-east-1a', 'use1', ''])('refuses the zone %j', (zone) => {
    expect(errorOf(() => TensorStore.s3ExpressOneZone(zone))).toBe(
      `availabilityZoneId must be the id of an availability zone, such as use1-az5, got '${zone}': look it up with \`aws ec2 describe-availability-zones\``,
    );
  });

  test('cannot be combined with encryptionKey', () => {
    expect(
      errorOf(() => pipelineStack((stack) => ({ tensorStore, encryptionKey: new kms.Key(stack, 'Key') }))),
    ).toBe(
      "tensors in S3 Express One Zone must be encrypted with keys that S3 manages, got a KMS key for the pipeline's bucket: remove the key or tensorStore",
    );
  });

  test('accepts a zone that is known only at deployment', () => {
    expect(TensorStore.s3ExpressOneZone(Lazy.string({ produce: () => 'use1-az5' }))).toBeDefined();
  });
});
