/** What each prop changes in the template. `snapshot.test.ts` has the template of the defaults. */
import { Duration, Lazy, RemovalPolicy, Size } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Slicing, TensorStore } from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel } from '../../support/model-builder';
import { MLP_PATH, pipelineStack, type ShortTemplate } from '../../support/pipeline-stack';

/** The resources at these paths have these properties, and perhaps more. */
function expectResources({ resource }: ShortTemplate, expected: Readonly<Record<string, object>>): void {
  for (const [path, properties] of Object.entries(expected))
    expect([path, resource(path)]).toMatchObject([path, properties]);
}

const variables = (Variables: object) => ({ Environment: { Variables } });

describe('a pipeline with most props', () => {
  const all = pipelineStack((stack) => ({
    slicing: Slicing.count(3),
    architecture: lambda.Architecture.ARM_64,
    runtime: lambda.Runtime.NODEJS_22_X,
    stateMachineType: sfn.StateMachineType.STANDARD,
    timeout: Duration.hours(2),
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
    intermediateRetention: Duration.days(3),
    outputRetention: Duration.days(30),
    encryptionKey: new kms.Key(stack, 'Key').addAlias('alias/tensors'),
    logEncryptionKey: new kms.Key(stack, 'LogKey').addAlias('alias/logs'),
    logRetention: logs.RetentionDays.ONE_WEEK,
    logLevel: sfn.LogLevel.ALL,
    tracing: false,
    sliceMetrics: true,
    vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }),
    sliceFunctions: {
      memorySize: 1024,
      timeout: Duration.minutes(3),
      reservedConcurrentExecutions: 10,
      environment: { STAGE: 'test', TEAM: 'all' },
    },
    sliceFunctionOverrides: {
      'slice-02': {
        memorySize: 3540,
        ephemeralStorageSize: Size.gibibytes(2),
        provisionedConcurrentExecutions: 2,
        environment: { TEAM: 'own' },
      },
    },
  }));
  const { resource, resources, template } = all;

  it('has them in its functions', () => {
    const common = {
      ...{ Architectures: ['arm64'], Runtime: 'nodejs22.x', Timeout: 180, ReservedConcurrentExecutions: 10 },
      VpcConfig: { SecurityGroupIds: ['{Pipeline/SecurityGroup.GroupId}'] },
    };
    // All slices have the threads of the largest function.
    const own = (TEAM: string) =>
      variables({ TEAM, STAGE: 'test', SLICE_THREADS: '3', SLICE_METRICS_NAMESPACE: 'SlicedInference' });
    const small = { ...common, ...own('all'), MemorySize: 1024, EphemeralStorage: { Size: 512 } };
    expectResources(all, {
      'Pipeline/slice-00/Function': small,
      'Pipeline/slice-01/Function': small,
      'Pipeline/slice-02/Function': {
        ...{ ...common, ...own('own'), MemorySize: 3540, EphemeralStorage: { Size: 2048 } },
      },
    });
    expect(resource('Pipeline/slice-00/Function')).not.toHaveProperty('TracingConfig');
    expect(JSON.stringify(template)).not.toContain('xray:');
  });

  it('calls a function with provisioned concurrency by an alias, and others by their retained versions', () => {
    expect(resources('AWS::Lambda::Alias')).toEqual({
      'Pipeline/slice-02/Function/Alias': {
        FunctionName: '{Pipeline/slice-02/Function}',
        FunctionVersion: '{Pipeline/slice-02/Function/CurrentVersion.Version}',
        Name: 'live',
        ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
      },
    });
    const { DefinitionString } = resource('Pipeline/StateMachine');
    expect(DefinitionString).toContain('"FunctionName":"{Pipeline/slice-00/Function/CurrentVersion}"');
    expect(DefinitionString).toContain('"FunctionName":"{Pipeline/slice-02/Function/Alias}"');
    expect(DefinitionString).toContain('"TimeoutSeconds":7200');
    const retained = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
    template.allResources('AWS::Lambda::Version', retained);
  });

  it('has them in its buckets, keys, logs and state machine', () => {
    const group = { KmsKeyId: '{LogKey.Arn}', RetentionInDays: 7 };
    expectResources(all, {
      'Pipeline/Bucket': {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            {
              // A bucket key reduces calls to KMS.
              BucketKeyEnabled: true,
              ServerSideEncryptionByDefault: {
                SSEAlgorithm: 'aws:kms',
                KMSMasterKeyID: 'arn:{AWS::Partition}:kms:{AWS::Region}:{AWS::AccountId}:alias/tensors',
              },
            },
          ],
        },
        LifecycleConfiguration: {
          Rules: [{ ExpirationInDays: 3 }, { ExpirationInDays: 30 }, { ExpirationInDays: 30 }, {}],
        },
      },
      'Pipeline/SliceLogs': group,
      'Pipeline/Logs': group,
      'Pipeline/StateMachine': {
        StateMachineType: 'STANDARD',
        LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
        TracingConfiguration: { Enabled: false },
      },
    });
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
    for (const type of ['AWS::S3::Bucket', 'AWS::Logs::LogGroup', 'AWS::StepFunctions::StateMachine'])
      template.allResources(type, { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
    // An alias matches no key in a policy.
    expect(JSON.stringify(resource('Pipeline/SlicePolicy'))).toContain('{Key.Arn}');
    expect(JSON.stringify(resource('Pipeline/SlicePolicy'))).not.toContain('alias');
  });

  it('lets CloudWatch Logs use the key only for log groups of the account', () => {
    const { KeyPolicy } = resource('LogKey') as { KeyPolicy: { Statement: object[] } };
    const arn = 'arn:{AWS::Partition}:logs:{AWS::Region}:{AWS::AccountId}:log-group:*';
    expect(KeyPolicy.Statement).toContainEqual({
      Sid: 'EncryptLogs',
      Effect: 'Allow',
      Principal: { Service: 'logs.{AWS::Region}.{AWS::URLSuffix}' },
      Action: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
      Resource: '*',
      Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': arn } },
    });
  });

  it('has one security group without inbound rules, which allows only HTTPS', () => {
    const groups = Object.values(resources('AWS::EC2::SecurityGroup'));
    expect(groups).toMatchObject([
      { SecurityGroupEgress: [{ CidrIp: '0.0.0.0/0', FromPort: 443, ToPort: 443, IpProtocol: 'tcp' }] },
    ]);
    expect(groups[0]).not.toHaveProperty('SecurityGroupIngress');
  });

  it('lets Lambda attach the functions to the VPC, and denies that to their own code', () => {
    const { PolicyDocument } = resource('Pipeline/SlicePolicy') as {
      PolicyDocument: { Statement: { Sid: string }[] };
    };
    expect(PolicyDocument.Statement.slice(-2)).toEqual([
      expect.objectContaining({ Sid: 'AttachToVpc', Effect: 'Allow', Resource: '*' }),
      expect.objectContaining({
        Sid: 'NotByTheCodeItself',
        Effect: 'Deny',
        Condition: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    ]);
  });
});

test('a bucket, subnets and security groups of the user are used as they are', () => {
  const mine = pipelineStack((stack) => {
    const subnetConfiguration = [{ name: 'own', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }];
    const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration });
    const securityGroups = [new ec2.SecurityGroup(stack, 'Group', { vpc })];
    const vpcSubnets = { subnets: [vpc.isolatedSubnets[1]] };
    return { bucket: new s3.Bucket(stack, 'Mine'), vpc, vpcSubnets, securityGroups };
  });
  expect(mine.resources('AWS::S3::Bucket')).toEqual({ Mine: {} });
  expect(mine.pipeline.bucket.node.path).toBe('Stack/Mine');
  expect(mine.resource('Pipeline/slice-00/Function')).toMatchObject({
    ...variables({ SLICE_BUCKET: '{Mine}' }),
    VpcConfig: { SecurityGroupIds: ['{Group.GroupId}'], SubnetIds: ['{Vpc/ownSubnet2/Subnet}'] },
  });
});

test('memory, timeout and /tmp come from the plan', () => {
  const dimensions = { batch: 4_000_000 };
  const { plan } = compile(MLP_PATH, count(2), { dimensions });
  const { resources } = pipelineStack({ dimensions, slicing: Slicing.count(2) });
  expect(Object.values(resources('AWS::Lambda::Function'))).toMatchObject(
    plan.slices.map(({ memoryMb, timeoutSeconds, ephemeralStorageMb }) => ({
      MemorySize: memoryMb,
      Timeout: timeoutSeconds,
      EphemeralStorage: { Size: ephemeralStorageMb },
    })),
  );
  expect(plan.slices.map(({ memoryMb }) => memoryMb > 1024)).toEqual([true, true]);
});

test('a small model with a long name has no variables for weights, and a description of 256 characters', () => {
  const { resource } = pipelineStack({ modelPath: saveModel(mlp(1, 4), `${'m'.repeat(250)}.onnx`) });
  const { Description, Environment } = resource('Pipeline/slice-00/Function');
  expect(Description).toBe(`Slice 1 of 1 of ${'m'.repeat(240)}`);
  expect(Object.keys((Environment as { Variables: object }).Variables)).toEqual([
    ...['SLICE_BUCKET', 'SLICE_DEPLOYMENT_DIGEST', 'SLICE_INDEX', 'SLICE_MODEL_SHA256', 'SLICE_MODEL_URI'],
    'SLICE_THREADS',
  ]);
});

describe('a pipeline with S3 Express One Zone', () => {
  const tensorStore = TensorStore.s3ExpressOneZone('use1-az5');
  const express = pipelineStack({ slicing: Slicing.count(3), tensorStore });

  it('has an encrypted directory bucket in the zone, which allows only TLS and lets S3 expire runs', () => {
    const Resource = '{Pipeline/TensorBucket.Arn}';
    expectResources(express, {
      'Pipeline/TensorBucket': { DataRedundancy: 'SingleAvailabilityZone', LocationName: 'use1-az5' },
      'Pipeline/TensorBucketPolicy': {
        PolicyDocument: {
          Statement: [
            {
              ...{ Sid: 'OnlyWithTls', Effect: 'Deny', Action: 's3express:*', Resource },
              Principal: { AWS: '*' },
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
            {
              ...{ Sid: 'Expire', Effect: 'Allow', Action: 's3express:CreateSession', Resource },
              Principal: { Service: 'lifecycle.s3.amazonaws.com' },
              Condition: { StringEquals: { 's3express:SessionMode': 'ReadWrite' } },
            },
          ],
        },
      },
      'Pipeline/slice-01/Function': variables({
        SLICE_BUCKET: '{Pipeline/Bucket}',
        SLICE_RUNS_BUCKET: '{Pipeline/TensorBucket}',
      }),
    });
  });

  it('lets functions access the directory bucket by sessions, and the other by exact keys', () => {
    const session = { Sid: 'PassTensors', Effect: 'Allow', Action: 's3express:CreateSession' };
    const anywhere = { ...session, Resource: '{Pipeline/TensorBucket.Arn}' };
    const Condition = { StringEquals: { 's3express:SessionMode': 'ReadOnly' } };
    const on = (Sid: string, key: string): unknown =>
      expect.objectContaining({ Sid, Resource: `{Pipeline/Bucket.Arn}/${key}` });
    const statements = ['slice-00', 'slice-01', 'slice-02'].map((slice) => {
      const { PolicyDocument } = express.resource(`Pipeline/${slice}/Role/Policy`) as {
        PolicyDocument: { Statement: { Sid: string }[] };
      };
      return PolicyDocument.Statement.filter(({ Sid }) => Sid.endsWith('Tensors'));
    });
    const [results, readOnly] = ['outputs/*.safetensors', { ...anywhere, Condition }] as const;
    expect(statements).toEqual([
      [on('ReadTensors', 'inputs/*'), anywhere],
      [anywhere],
      [on('WriteTensors', results), on('ReadTensors', results), readOnly],
    ]);
  });

  it('applies intermediateRetention and removalPolicy to it, even with a bucket of the user', () => {
    const { template, resource } = pipelineStack((stack) => ({
      tensorStore: TensorStore.s3ExpressOneZone(Lazy.string({ produce: () => 'use1-az5' })),
      bucket: new s3.Bucket(stack, 'Mine'),
      intermediateRetention: Duration.days(3),
      removalPolicy: RemovalPolicy.DESTROY,
    }));
    const Rules = [{ ExpirationInDays: 3 }];
    expect(resource('Pipeline/TensorBucket')).toMatchObject({ LifecycleConfiguration: { Rules } });
    template.hasResource('AWS::S3Express::DirectoryBucket', { DeletionPolicy: 'Delete' });
    // A single slice passes no tensors.
    expect(JSON.stringify(resource('Pipeline/slice-00/Role/Policy'))).not.toContain('s3express');
  });
});
