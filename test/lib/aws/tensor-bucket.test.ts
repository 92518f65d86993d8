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

  test('allows only TLS 1.2 and later', () => {
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

  test('expires runs after 1 day, and requests and results after 7 days', () => {
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

  test('is retained by default, and removalPolicy changes that', () => {
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

test('encryptionKey encrypts the bucket, with a bucket key that reduces calls to KMS', () => {
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

test('a bucket of the user is not changed', () => {
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

  test('is set by intermediateRetention for runs, and by outputRetention for requests and results', () => {
    expect(days({ intermediateRetention: Duration.days(3), outputRetention: Duration.days(30) })).toEqual([
      3, 30, 30,
    ]);
  });

  test.each(['intermediateRetention', 'outputRetention'] as const)('%s must be in whole days', (name) => {
    for (const [retention, got] of [
      [Duration.hours(36), '1 day 12 hours'],
      [Duration.days(0), '0 days'],
    ] as const) {
      expect(errorOf(() => pipelineStack({ [name]: retention }))).toBe(
        `${name} must be a whole number of days, 1 or more, got ${got}: use whole days`,
      );
    }
    pipelineStack({ [name]: Duration.days(Lazy.number({ produce: () => 2 })) });
  });

  test('cannot be combined with bucket', () => {
    const both = (props: object) =>
      errorOf(() => pipelineStack((stack) => ({ bucket: new s3.Bucket(stack, 'Mine'), ...props })));
    for (const name of ['intermediateRetention', 'outputRetention']) {
      expect(both({ [name]: Duration.days(2) })).toBe(
        `${name} cannot be combined with bucket, got both: add a lifecycle rule to your bucket instead, and leave this prop out`,
      );
    }
    expect(both({ autoDeleteObjects: true })).toBe(
      'autoDeleteObjects cannot be combined with bucket, got both: set autoDeleteObjects of your bucket instead, and leave this prop out',
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
  ])('requires removalPolicy DESTROY, not %s', (removalPolicy, got) => {
    const props = { autoDeleteObjects: true, ...(removalPolicy && { removalPolicy }) };
    expect(errorOf(() => pipelineStack(props))).toBe(
      `autoDeleteObjects must be combined with removalPolicy DESTROY, got ${got}: set removalPolicy to DESTROY, or leave autoDeleteObjects out`,
    );
  });
});
