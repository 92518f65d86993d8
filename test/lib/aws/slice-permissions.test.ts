/** Every statement of every role. An additional permission makes these tests fail. */
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { BatchItems, SlicedInferenceBatch, Slicing, type SlicedInferencePipeline } from '../../../lib';
import { lateInput } from '../../support/late-input-model';
import { mlp, saveModel } from '../../support/model-builder';
import { type ShortTemplate, pipelineStack } from '../../support/pipeline-stack';

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Effect: string;
  readonly Resource: string | string[];
  readonly Condition?: object;
}

/** The statements of a policy as lines of sid, actions and resources. */
function statements({ resource }: ShortTemplate, policy: string): string[] {
  const { PolicyDocument } = resource(policy) as { PolicyDocument: { Statement: readonly Statement[] } };
  return PolicyDocument.Statement.map(({ Sid, Action, Effect, Resource, ...rest }) => {
    expect(Effect).toBe('Allow');
    // Keys can be used only through S3.
    const viaS3 = { Condition: { StringLike: { 'kms:ViaService': 's3.*' } } };
    const { StringLike } = (rest.Condition ?? {}) as {
      readonly StringLike?: Readonly<Record<string, string>>;
    };
    const listed = StringLike?.['s3:prefix'];
    if (listed !== undefined)
      return `${[Action].flat().join(', ')} of ${listed} in ${[Resource].flat().join(', ')}`;
    expect(rest).toEqual([Action].flat().some((action) => action.startsWith('kms:')) ? viaS3 : {});
    return `${Sid === undefined ? '' : `${Sid}: `}${[Action].flat().join(', ')} on ${[Resource].flat().join(', ')}`;
  });
}

const STAGED = 'arn:{AWS::Partition}:s3:::cdk-hnb659fds-assets-{AWS::AccountId}-{AWS::Region}/<sha256>';
const TRACES = 'WriteTraces: xray:PutTelemetryRecords, xray:PutTraceSegments on *';
const LOGS = 'WriteLogs: logs:CreateLogStream, logs:PutLogEvents on {Pipeline/SliceLogs.Arn}';

/** The slice's own policy allows these keys of the bucket, and the slice's files. Its role itself has no policies. */
function expectSlice(template: ShortTemplate, slice: string, written: string, read: readonly string[]): void {
  const objects = (keys: readonly string[]): string =>
    keys.map((key) => `{Pipeline/Bucket.Arn}/${key}`).join(', ');
  expect(statements(template, `Pipeline/${slice}/Role/Policy`)).toEqual([
    `ReadSlice: s3:GetObject on ${STAGED}.onnx, ${STAGED}.weights`,
    `WriteTensors: s3:PutObject on ${objects([written])}`,
    `ReadTensors: s3:GetObject on ${objects(read)}`,
  ]);
  expect(template.resource(`Pipeline/${slice}/Role/Policy`).Roles).toEqual([`{Pipeline/${slice}/Role}`]);
  expect(template.resource(`Pipeline/${slice}/Role`)).toEqual({
    AssumeRolePolicyDocument: {
      Statement: [
        { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
      ],
      Version: '2012-10-17',
    },
  });
}

const [INPUTS, RESULTS] = ['inputs/*', 'outputs/*.safetensors'];
const runs = (slice: number): string => `runs/*/slice-0${slice}.safetensors`;

test('in a chain of three slices, each reads requests or the slice before, and writes one object', () => {
  const chain = pipelineStack({ slicing: Slicing.count(3) });
  expectSlice(chain, 'slice-00', runs(0), [INPUTS]);
  expectSlice(chain, 'slice-01', runs(1), [runs(0)]);
  // The last slice reads results that an earlier attempt wrote.
  expectSlice(chain, 'slice-02', RESULTS, [RESULTS, runs(1)]);
  expect(statements(chain, 'Pipeline/SlicePolicy')).toEqual([LOGS, TRACES]);
  const functions = [0, 1, 2].map((slice) => `{Pipeline/slice-0${slice}/Function.Arn}:*`);
  expect(statements(chain, 'Pipeline/Role/Calls')).toEqual([
    `lambda:InvokeFunction on ${functions.join(', ')}`,
  ]);
  expect(statements(chain, 'Pipeline/Role/DefaultPolicy')).toEqual([
    'logs:CreateLogDelivery, logs:GetLogDelivery, logs:UpdateLogDelivery, logs:DeleteLogDelivery, ' +
      'logs:ListLogDeliveries, logs:PutResourcePolicy, logs:DescribeResourcePolicies, logs:DescribeLogGroups on *',
    'xray:PutTraceSegments, xray:PutTelemetryRecords, xray:GetSamplingRules, xray:GetSamplingTargets on *',
  ]);
  const policies = ['Policy', 'ManagedPolicy'].map((type) =>
    Object.keys(chain.resources(`AWS::IAM::${type}`)).sort(),
  );
  expect(policies).toEqual([
    [
      ...['Pipeline/Role/Calls', 'Pipeline/Role/DefaultPolicy'],
      ...[0, 1, 2].map((slice) => `Pipeline/slice-0${slice}/Role/Policy`),
    ],
    ['Pipeline/SlicePolicy'],
  ]);
  expect(chain.resources('AWS::Lambda::Permission')).toEqual({});
});

test('in other graphs, slices read what they need', () => {
  expectSlice(pipelineStack(), 'slice-00', RESULTS, [INPUTS, RESULTS]);
  const late = pipelineStack(lateInput);
  expectSlice(late, 'slice-01', runs(1), [INPUTS, runs(0)]);
  // The last slice gathers the results of all slices.
  expectSlice(late, 'slice-02', RESULTS, [RESULTS, runs(0), runs(1)]);
  const narrow = pipelineStack({ modelPath: saveModel(mlp(1, 4)), dimensions: { batch: 1 } });
  const [files] = statements(narrow, 'Pipeline/slice-00/Role/Policy');
  expect(files).toBe(`ReadSlice: s3:GetObject on ${STAGED}.onnx`);
});

test("the state machine calls the user's functions by the ARN that it calls, and no other version of them", () => {
  const before = 'arn:aws:lambda:us-east-1:111111111111:function:before';
  const { resource } = pipelineStack((stack) => ({
    preprocess: lambda.Function.fromFunctionArn(stack, 'Before', before),
  }));
  expect(JSON.stringify(resource('Pipeline/Role/Calls'))).toContain(`"${before}"`);
});

const withKey = (stack: Stack) => ({ encryptionKey: new kms.Key(stack, 'Key') });
const ofUser = (stack: Stack) => ({
  bucket: new s3.Bucket(stack, 'Mine', { encryption: s3.BucketEncryption.KMS, ...withKey(stack) }),
});

test.each([
  ['encryptionKey', withKey],
  ["the key of the user's bucket", ofUser],
])('every slice may use %s, whose policy does not change', (_, props) => {
  const encrypted = pipelineStack(props);
  const use = 'UseKey: kms:Decrypt, kms:GenerateDataKey on {Key.Arn}';
  expect(statements(encrypted, 'Pipeline/SlicePolicy')).toEqual([LOGS, use, TRACES]);
  expect(statements(encrypted, 'Pipeline/slice-00/Role/Policy')).toHaveLength(3);
  const { KeyPolicy } = encrypted.resource('Key') as { KeyPolicy: { Statement: unknown[] } };
  expect(KeyPolicy.Statement).toEqual([
    {
      ...{ Action: 'kms:*', Effect: 'Allow', Resource: '*' },
      Principal: { AWS: 'arn:{AWS::Partition}:iam::{AWS::AccountId}:root' },
    },
  ]);
});

test('every slice may use assetEncryptionKey', () => {
  const { resource } = pipelineStack((stack) => ({ assetEncryptionKey: new kms.Key(stack, 'AssetKey') }));
  const policy = statements({ resource } as ShortTemplate, 'Pipeline/SlicePolicy');
  expect(policy).toEqual([LOGS, 'UseModelKey: kms:Decrypt on {AssetKey.Arn}', TRACES]);
});

type Grant = (pipeline: SlicedInferencePipeline, grantee: iam.IGrantable) => iam.Grant;
const read: Grant = (pipeline, grantee) => pipeline.grantReadOutputs(grantee);
const write: Grant = (pipeline, grantee) => pipeline.grantWriteInputs(grantee);
const invoke: Grant = (pipeline, grantee) => pipeline.grantInvoke(grantee);
const startBatch: Grant = (pipeline, grantee) => {
  const items = BatchItems.jsonLines('inputs/docs/a.jsonl');
  return new SlicedInferenceBatch(Stack.of(pipeline), 'Nightly', { pipeline, items }).grantStart(grantee);
};
const standard = () => ({ stateMachineType: sfn.StateMachineType.STANDARD });

const put = (bucket: string): string => `s3:PutObject on {${bucket}.Arn}/inputs/*`;
const get = (bucket: string): string => `s3:GetObject on {${bucket}.Arn}/outputs/*`;
const [PUT, GET] = [put('Pipeline/Bucket'), get('Pipeline/Bucket')];
const key = (actions: string): string => `${actions} on {Key.Arn}`;
const MACHINE = 'states:DescribeStateMachine on {Pipeline/StateMachine}';
const START = `states:StartExecution, states:StartSyncExecution, ${MACHINE}`;
const FOLLOW =
  'states:DescribeExecution, states:GetExecutionHistory, states:StopExecution on ' +
  'arn:{AWS::Partition}:states:{AWS::Region}:{AWS::AccountId}:execution:split({Pipeline/StateMachine}, :)[6]:*';

const [BATCH, OF_BATCH] = [
  '{Nightly/StateMachine}',
  'arn:{AWS::Partition}:states:{AWS::Region}:{AWS::AccountId}:',
];
const START_BATCH = [
  `states:StartExecution, states:DescribeStateMachine, states:ListExecutions on ${BATCH}`,
  `states:DescribeExecution, states:ListMapRuns, states:StopExecution, states:RedriveExecution on ${OF_BATCH}execution:split(${BATCH}, :)[6]:*`,
  `states:DescribeMapRun on ${OF_BATCH}mapRun:{Nightly/StateMachine.Name}/*`,
  's3:PutObject on {Pipeline/Bucket.Arn}/inputs/*',
  's3:GetObject on {Pipeline/Bucket.Arn}/inputs/docs/*',
  's3:ListBucket of outputs/Stack-Nightly-5A33CB59/failures/* in {Pipeline/Bucket.Arn}',
  's3:GetObject on {Pipeline/Bucket.Arn}/outputs/Stack-Nightly-5A33CB59/*',
];

test.each<[string, Grant, NonNullable<Parameters<typeof pipelineStack>[0]>, string[]]>([
  ['to read results', read, {}, [GET]],
  ['to read results with a key', read, withKey, [GET, key('kms:Decrypt')]],
  ['to write requests', write, {}, [PUT]],
  ['to write requests with a key', write, withKey, [PUT, key('kms:GenerateDataKey')]],
  ['to invoke an Express pipeline', invoke, {}, [START, PUT, GET]],
  ['to invoke a Standard one', invoke, standard(), [`states:StartExecution, ${MACHINE}`, FOLLOW, PUT, GET]],
  ['to invoke with a key', invoke, withKey, [START, PUT, GET, key('kms:Decrypt, kms:GenerateDataKey')]],
  ['to start a batch', startBatch, {}, START_BATCH],
  // A large request is sent in parts, which S3 decrypts.
  ['to start with a key', startBatch, withKey, [...START_BATCH, key('kms:Decrypt, kms:GenerateDataKey')]],
  [
    "to invoke with the user's bucket",
    ...([invoke, ofUser] as const),
    [START, put('Mine'), get('Mine'), key('kms:Decrypt, kms:GenerateDataKey')],
  ],
])('a grant %s', (_, grant, props, expected) => {
  const template = pipelineStack(props, (pipeline, stack) => {
    expect(grant(pipeline, new iam.User(stack, 'Caller')).success).toBe(true);
  });
  expect(statements(template, 'Caller/DefaultPolicy').sort()).toEqual(expected.sort());
});

test('a grant to another account is in the policy of the bucket', () => {
  const { resource } = pipelineStack({}, (pipeline) => {
    expect(read(pipeline, new iam.AccountPrincipal('444455556666')).success).toBe(true);
  });
  expect(resource('Pipeline/Bucket/Policy')).toMatchObject({
    PolicyDocument: {
      Statement: expect.arrayContaining([
        {
          ...{ Action: 's3:GetObject', Effect: 'Allow', Resource: '{Pipeline/Bucket.Arn}/outputs/*' },
          Principal: { AWS: 'arn:{AWS::Partition}:iam::444455556666:root' },
        },
      ]) as unknown,
    },
  });
});

test('a grant of the user to a function is added to its role', () => {
  const template = pipelineStack({}, ({ functions }, stack) => {
    new s3.Bucket(stack, 'Other').grantPut(functions[0], 'audit/*');
  });
  expect(statements(template, 'Pipeline/slice-00/Role/DefaultPolicy')).toEqual([
    expect.stringMatching(/^s3:PutObject, .* on \{Other\.Arn\}\/audit\/\*$/),
  ]);
});
