/** Every statement of every role. An additional permission makes these tests fail. */
import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Slicing } from '../../../lib';
import { mlp, saveModel } from '../../support/model-builder';
import { lateInput } from '../../support/late-input-model';
import { type ShortTemplate, errorOf, pipelineStack } from '../../support/pipeline-stack';

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Effect: string;
  readonly Resource: string | string[];
  readonly Condition?: object;
}

interface PolicyDocument {
  readonly Statement: readonly Statement[];
}

const STAGED = 'arn:{AWS::Partition}:s3:::cdk-hnb659fds-assets-{AWS::AccountId}-{AWS::Region}/<sha256>';

/** Returns the statements as lines of sid, actions and resources. */
function lines(document: unknown): string[] {
  return (document as PolicyDocument).Statement.map(({ Sid, Action, Effect, Resource, ...rest }) => {
    expect(Effect).toBe('Allow');
    // Keys can be used only through S3.
    const viaS3 = { Condition: { StringLike: { 'kms:ViaService': 's3.*' } } };
    expect(rest).toEqual([Action].flat().some((action) => action.startsWith('kms:')) ? viaS3 : {});
    return `${Sid === undefined ? '' : `${Sid}: `}${[Action].flat().join(', ')} on ${[Resource].flat().join(', ')}`;
  });
}

/** The statements of a slice's own policy. Its role itself has none. */
function sliceRole({ resource }: ShortTemplate, slice: string): string[] {
  expect(resource(`Pipeline/${slice}/Role`)).toEqual({
    AssumeRolePolicyDocument: {
      Statement: [
        { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
      ],
      Version: '2012-10-17',
    },
  });
  const { PolicyDocument, Roles } = resource(`Pipeline/${slice}/Role/Policy`);
  expect(Roles).toEqual([`{Pipeline/${slice}/Role}`]);
  return lines(PolicyDocument);
}

function sharedPolicy({ resource }: ShortTemplate): string[] {
  return lines(resource('Pipeline/SlicePolicy').PolicyDocument);
}

const TRACES = 'WriteTraces: xray:PutTelemetryRecords, xray:PutTraceSegments on *';
const LOGS = 'WriteLogs: logs:CreateLogStream, logs:PutLogEvents on {Pipeline/SliceLogs.Arn}';

describe('in a chain of three slices', () => {
  const chain = pipelineStack({ slicing: Slicing.count(3) });

  test('the first slice reads its files and requests, and writes its tensors', () => {
    expect(sliceRole(chain, 'slice-00')).toEqual([
      `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
      'WriteTensors: s3:PutObject on {Pipeline/Bucket.Arn}/runs/*/slice-00.safetensors',
      'ReadTensors: s3:GetObject on {Pipeline/Bucket.Arn}/inputs/*',
    ]);
  });

  test('the middle slice reads the tensors of the first slice instead of requests', () => {
    expect(sliceRole(chain, 'slice-01')).toEqual([
      `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
      'WriteTensors: s3:PutObject on {Pipeline/Bucket.Arn}/runs/*/slice-01.safetensors',
      'ReadTensors: s3:GetObject on {Pipeline/Bucket.Arn}/runs/*/slice-00.safetensors',
    ]);
  });

  test('the last slice writes results, and reads those that an earlier attempt wrote', () => {
    expect(sliceRole(chain, 'slice-02')).toEqual([
      `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
      'WriteTensors: s3:PutObject on {Pipeline/Bucket.Arn}/outputs/*.safetensors',
      'ReadTensors: s3:GetObject on {Pipeline/Bucket.Arn}/outputs/*.safetensors, ' +
        '{Pipeline/Bucket.Arn}/runs/*/slice-01.safetensors',
    ]);
  });

  test('all slices may write logs and traces, and nothing else', () => {
    expect(sharedPolicy(chain)).toEqual([LOGS, TRACES]);
  });

  test('no other policy exists', () => {
    expect(Object.keys(chain.resources('AWS::IAM::Policy')).sort()).toEqual([
      'Pipeline/Role/Calls',
      'Pipeline/Role/DefaultPolicy',
      'Pipeline/slice-00/Role/Policy',
      'Pipeline/slice-01/Role/Policy',
      'Pipeline/slice-02/Role/Policy',
    ]);
    expect(Object.keys(chain.resources('AWS::IAM::ManagedPolicy'))).toEqual(['Pipeline/SlicePolicy']);
    expect(chain.resources('AWS::Lambda::Permission')).toEqual({});
  });

  test('the state machine invokes the slices, delivers logs and writes traces', () => {
    for (const policy of ['Calls', 'DefaultPolicy'])
      expect(chain.resource(`Pipeline/Role/${policy}`).Roles).toEqual(['{Pipeline/Role}']);
    const functions = ['slice-00', 'slice-01', 'slice-02'].map(
      (slice) => `{Pipeline/${slice}/Function.Arn}:*`,
    );
    expect(lines(chain.resource('Pipeline/Role/Calls').PolicyDocument)).toEqual([
      `lambda:InvokeFunction on ${functions.join(', ')}`,
    ]);
    expect(lines(chain.resource('Pipeline/Role/DefaultPolicy').PolicyDocument)).toEqual([
      'logs:CreateLogDelivery, logs:GetLogDelivery, logs:UpdateLogDelivery, logs:DeleteLogDelivery, ' +
        'logs:ListLogDeliveries, logs:PutResourcePolicy, logs:DescribeResourcePolicies, logs:DescribeLogGroups on *',
      'xray:PutTraceSegments, xray:PutTelemetryRecords, xray:GetSamplingRules, xray:GetSamplingTargets on *',
    ]);
  });
});

test("the state machine calls the user's functions by the ARN that it calls, and no other version of them", () => {
  const before = 'arn:aws:lambda:us-east-1:111111111111:function:before';
  const { resources } = pipelineStack((stack) => ({
    preprocess: lambda.Function.fromFunctionArn(stack, 'Before', before),
  }));
  const policies = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].map((type) =>
    JSON.stringify(resources(type)),
  );
  expect(policies.join()).toContain(`"${before}"`);
  expect(policies.join()).not.toContain(`${before}:`);
});

test('a single slice reads requests and earlier results', () => {
  expect(sliceRole(pipelineStack(), 'slice-00')).toEqual([
    `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
    'WriteTensors: s3:PutObject on {Pipeline/Bucket.Arn}/outputs/*.safetensors',
    'ReadTensors: s3:GetObject on {Pipeline/Bucket.Arn}/inputs/*, {Pipeline/Bucket.Arn}/outputs/*.safetensors',
  ]);
});

test('a slice without a weights file reads only its model file', () => {
  const narrow = pipelineStack({ modelPath: saveModel(mlp(1, 4)), dimensions: { batch: 1 } });
  expect(sliceRole(narrow, 'slice-00')[0]).toBe(`ReadSlice: s3:GetObject on ${STAGED}.onnx`);
});

describe('in a graph that is not a chain', () => {
  const late = pipelineStack(lateInput);

  test('a middle slice that uses an input of the model reads requests too', () => {
    expect(sliceRole(late, 'slice-01')).toEqual([
      `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
      'WriteTensors: s3:PutObject on {Pipeline/Bucket.Arn}/runs/*/slice-01.safetensors',
      'ReadTensors: s3:GetObject on {Pipeline/Bucket.Arn}/inputs/*, {Pipeline/Bucket.Arn}/runs/*/slice-00.safetensors',
    ]);
  });

  test('the last slice reads the tensors of every slice that computes a result', () => {
    expect(sliceRole(late, 'slice-02')[2]).toBe(
      'ReadTensors: s3:GetObject on {Pipeline/Bucket.Arn}/outputs/*.safetensors, ' +
        '{Pipeline/Bucket.Arn}/runs/*/slice-00.safetensors, {Pipeline/Bucket.Arn}/runs/*/slice-01.safetensors',
    );
  });
});

describe('with a KMS key', () => {
  test('every slice may use encryptionKey, whose policy does not change', () => {
    const encrypted = pipelineStack((stack) => ({
      slicing: Slicing.count(3),
      encryptionKey: new kms.Key(stack, 'Key'),
    }));
    for (const slice of ['slice-00', 'slice-01', 'slice-02'])
      expect(sliceRole(encrypted, slice)).toHaveLength(3);
    expect(sharedPolicy(encrypted)).toEqual([
      LOGS,
      'UseKey: kms:Decrypt, kms:GenerateDataKey on {Key.Arn}',
      TRACES,
    ]);
    const { KeyPolicy } = encrypted.resource('Key') as { KeyPolicy: { Statement: unknown[] } };
    expect(KeyPolicy.Statement).toEqual([
      {
        Action: 'kms:*',
        Effect: 'Allow',
        Principal: { AWS: 'arn:{AWS::Partition}:iam::{AWS::AccountId}:root' },
        Resource: '*',
      },
    ]);
  });

  test("every slice may use the key of the user's bucket", () => {
    const encrypted = pipelineStack((stack) => ({
      bucket: new s3.Bucket(stack, 'Mine', {
        encryption: s3.BucketEncryption.KMS,
        encryptionKey: new kms.Key(stack, 'Key'),
      }),
    }));
    expect(sliceRole(encrypted, 'slice-00')).toEqual([
      `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
      'WriteTensors: s3:PutObject on {Mine.Arn}/outputs/*.safetensors',
      'ReadTensors: s3:GetObject on {Mine.Arn}/inputs/*, {Mine.Arn}/outputs/*.safetensors',
    ]);
    expect(sharedPolicy(encrypted)).toEqual([
      LOGS,
      'UseKey: kms:Decrypt, kms:GenerateDataKey on {Key.Arn}',
      TRACES,
    ]);
  });
});

test('permissions name the target key of an alias, and an alias imported by name is refused', () => {
  const { resource } = pipelineStack((stack) => ({
    encryptionKey: new kms.Key(stack, 'Key').addAlias('alias/tensors'),
    logEncryptionKey: new kms.Key(stack, 'LogKey').addAlias('alias/logs'),
  }));
  expect(JSON.stringify(resource('Pipeline/SlicePolicy'))).toContain('{Key.Arn}');
  expect(JSON.stringify(resource('Pipeline/SlicePolicy'))).not.toContain('alias');
  expect(resource('Pipeline/Logs').KmsKeyId).toBe('{LogKey.Arn}');
  const imported = (stack: Stack) => ({ encryptionKey: kms.Alias.fromAliasName(stack, 'Alias', 'alias/x') });
  expect(errorOf(() => pipelineStack(imported))).toBe(
    'the key of a bucket must be a key that is known at synth time, got an alias imported by name: import the key with kms.Key.fromKeyArn()',
  );
});

describe('permissions that the user grants a function', () => {
  test('are added to its role', () => {
    const { resource } = pipelineStack({}, ({ functions }, stack) => {
      new s3.Bucket(stack, 'Other').grantPut(functions[0], 'audit/*');
    });
    expect(lines(resource('Pipeline/slice-00/Role/DefaultPolicy').PolicyDocument)).toEqual([
      expect.stringMatching(/^s3:PutObject, .* on \{Other\.Arn\}\/audit\/\*$/),
    ]);
  });
});

describe('grantReadOutputs', () => {
  const READ = 's3:GetObject on {Pipeline/Bucket.Arn}/outputs/*';
  const permissions = (prepare: Parameters<typeof pipelineStack>[0]): string[] => {
    const { resource } = pipelineStack(prepare, (pipeline, stack) => {
      expect(pipeline.grantReadOutputs(new iam.User(stack, 'Reader')).success).toBe(true);
    });
    return lines(resource('Reader/DefaultPolicy').PolicyDocument);
  };

  test('allows reading results, and nothing else', () => {
    expect(permissions({})).toEqual([READ]);
  });

  test('adds a statement to the bucket policy for another account', () => {
    const { resource } = pipelineStack({}, (pipeline) => {
      expect(pipeline.grantReadOutputs(new iam.AccountPrincipal('444455556666')).success).toBe(true);
    });
    const { PolicyDocument } = resource('Pipeline/Bucket/Policy') as {
      PolicyDocument: { Statement: object[] };
    };
    expect(PolicyDocument.Statement).toContainEqual({
      Action: 's3:GetObject',
      Effect: 'Allow',
      Principal: { AWS: 'arn:{AWS::Partition}:iam::444455556666:root' },
      Resource: '{Pipeline/Bucket.Arn}/outputs/*',
    });
  });

  test('allows decrypting results if the bucket has a key', () => {
    const decrypt = 'kms:Decrypt on {Key.Arn}';
    expect(permissions((stack) => ({ encryptionKey: new kms.Key(stack, 'Key') }))).toEqual([READ, decrypt]);
  });
});

describe('grantWriteInputs', () => {
  const permissions = (prepare: Parameters<typeof pipelineStack>[0]): string[] => {
    const { resource } = pipelineStack(prepare, (pipeline, stack) => {
      expect(pipeline.grantWriteInputs(new iam.User(stack, 'Writer')).success).toBe(true);
    });
    return lines(resource('Writer/DefaultPolicy').PolicyDocument);
  };
  const WRITE = 's3:PutObject on {Pipeline/Bucket.Arn}/inputs/*';

  test('allows writing requests, and nothing else', () => {
    expect(permissions({})).toEqual([WRITE]);
  });

  test('allows encrypting requests if the bucket has a key', () => {
    const encrypt = 'kms:GenerateDataKey on {Key.Arn}';
    expect(permissions((stack) => ({ encryptionKey: new kms.Key(stack, 'Key') }))).toEqual([WRITE, encrypt]);
  });
});
