import { Duration, Lazy, RemovalPolicy } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { errorOf, pipelineStack } from '../../support/pipeline-stack';

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
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
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

describe('retention', () => {
  const days = (props: Parameters<typeof pipelineStack>[0]) => {
    const { LifecycleConfiguration } = pipelineStack(props).resource('Pipeline/Bucket') as {
      LifecycleConfiguration: { Rules: { Prefix?: string; ExpirationInDays?: number }[] };
    };
    return LifecycleConfiguration.Rules.slice(0, 3).map(({ ExpirationInDays }) => ExpirationInDays);
  };

  test('is a prop, of what is between slices and of what callers see', () => {
    expect(days({ intermediateRetention: Duration.days(3), outputRetention: Duration.days(30) })).toEqual([
      3, 30, 30,
    ]);
  });

  test.each(['intermediateRetention', 'outputRetention'] as const)('%s is in whole days', (name) => {
    for (const [retention, got] of [
      [Duration.hours(36), '1 day 12 hours'],
      [Duration.days(0), '0 days'],
    ] as const) {
      expect(errorOf(() => pipelineStack({ [name]: retention }))).toBe(
        `${name} must be a whole number of days, 1 or more, got ${got}: give days`,
      );
    }
    pipelineStack({ [name]: Duration.days(Lazy.number({ produce: () => 2 })) });
  });

  test('is up to whoever brings a bucket', () => {
    const both = (props: object) =>
      errorOf(() => pipelineStack((stack) => ({ bucket: new s3.Bucket(stack, 'Mine'), ...props })));
    for (const name of ['intermediateRetention', 'outputRetention']) {
      expect(both({ [name]: Duration.days(2) })).toBe(
        `${name} must be of a bucket that the pipeline makes, got a bucket of your own too: give your bucket a lifecycle rule and leave ${name} out`,
      );
    }
    expect(both({ autoDeleteObjects: true })).toBe(
      'autoDeleteObjects must empty a bucket that the pipeline makes, got a bucket of your own too: set it at your bucket and leave autoDeleteObjects out',
    );
  });
});

describe('autoDeleteObjects', () => {
  test('empties the bucket before it is deleted', () => {
    const { template } = pipelineStack({ removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true });
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
  });

  test.each([
    [undefined, 'no removalPolicy'],
    [RemovalPolicy.RETAIN, 'retain'],
  ])('needs the bucket to go with the stack, not %s', (removalPolicy, got) => {
    const props = { autoDeleteObjects: true, ...(removalPolicy && { removalPolicy }) };
    expect(errorOf(() => pipelineStack(props))).toBe(
      `autoDeleteObjects must come with removalPolicy DESTROY, got ${got}: set that too, or leave autoDeleteObjects out`,
    );
  });
});
