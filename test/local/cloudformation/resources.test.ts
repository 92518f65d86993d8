import type { JsonObject } from '../../../local/json';
import {
  findFunction,
  readBucketName,
  readFunction,
  readStateMachine,
} from '../../../local/cloudformation/resources';
import { Template } from '../../../local/cloudformation/template';

const ARCHITECTURE = process.arch === 'x64' ? 'x86_64' : process.arch;
const ROLE = 'arn:aws:iam::000000000000:role/mine';
const OTHER_ARCHITECTURE = process.arch === 'x64' ? 'arm64' : 'x86_64';

function templateOf(type: string, properties: JsonObject): Template {
  return new Template({
    name: 'S',
    environment: { account: '000000000000', region: 'us-east-1' },
    template: { Resources: { R: { Type: type, Properties: properties } } },
  });
}

function lambdaFunction(more: JsonObject = {}) {
  const template = templateOf('AWS::Lambda::Function', {
    Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs22.x',
    Architectures: [ARCHITECTURE],
    Role: ROLE,
    ...more,
  });
  return readFunction(template, template.resource('R'));
}

function bucket(properties: JsonObject) {
  const template = templateOf('AWS::S3::Bucket', properties);
  return readBucketName(template, template.resource('R'));
}

function stateMachine(properties: JsonObject) {
  const template = templateOf('AWS::StepFunctions::StateMachine', properties);
  return readStateMachine(template, template.resource('R'));
}

test("a function has Lambda's defaults", () => {
  expect(lambdaFunction()).toEqual({
    logicalId: 'R',
    name: 'S-R',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:S-R',
    roleArn: ROLE,
    logGroup: '/aws/lambda/S-R',
    createsLogGroup: true,
    code: { bucket: 'assets', key: 'code.zip' },
    handler: 'index.handler',
    runtime: 'nodejs22.x',
    timeoutSeconds: 3,
    memoryMegabytes: 128,
    environment: {},
    ephemeralStorageMegabytes: 512,
    reservedConcurrency: undefined,
  });
});

test('a function is read with its own settings', () => {
  const variables = { BUCKET: { Ref: 'AWS::Region' }, NUMBER: 1 };
  const fn = lambdaFunction({
    FunctionName: 'mine',
    Timeout: 60,
    MemorySize: 1769,
    ReservedConcurrentExecutions: 2,
    Environment: { Variables: variables },
    PackageType: 'Zip',
    LoggingConfig: { LogGroup: 'mine-logs' },
    VpcConfig: { SubnetIds: [{ Ref: 'Anything' }] },
    EphemeralStorage: { Size: 1024 },
  });
  expect(fn).toMatchObject({
    name: 'mine',
    logGroup: 'mine-logs',
    createsLogGroup: false,
    timeoutSeconds: 60,
    memoryMegabytes: 1769,
    reservedConcurrency: 2,
    environment: { BUCKET: 'us-east-1', NUMBER: '1' },
  });
});

test.each<[JsonObject, string]>([
  [{ Layers: [] }, "the property Layers of AWS::Lambda::Function 'R'"],
  [{ FileSystemConfigs: [] }, 'the property FileSystemConfigs'],
  [{ SnapStart: {} }, 'the property SnapStart'],
  [{ PackageType: 'Image' }, 'the PackageType "Image"'],
  [{ Runtime: 'python3.13' }, 'the Runtime "python3.13"'],
  [{ Code: { ZipFile: 'x' } }, 'the property Code.ZipFile'],
  [{ Code: { S3Bucket: 'a', S3Key: 'b', S3ObjectVersion: '1' } }, 'the property Code.S3ObjectVersion'],
])('a function with %j is refused by name', (more, message) => {
  expect(() => lambdaFunction(more)).toThrow(`the local cloud does not support ${message}`);
});

test('a function for another architecture is refused', () => {
  expect(() => lambdaFunction({ Architectures: [OTHER_ARCHITECTURE] })).toThrow(
    `the function 'R' is for ["${OTHER_ARCHITECTURE}"], got a machine of ${ARCHITECTURE}`,
  );
});

test('a bucket may have properties without effect on one machine', () => {
  expect(bucket({ LifecycleConfiguration: {}, BucketEncryption: {} })).toBe('s-r');
});

test('a bucket sends notifications to EventBridge only', () => {
  expect(bucket({ NotificationConfiguration: { EventBridgeConfiguration: {} } })).toBe('s-r');
  expect(() => bucket({ NotificationConfiguration: { QueueConfigurations: [] } })).toThrow(
    'the property NotificationConfiguration.QueueConfigurations',
  );
});

test('a state machine is Standard by default', () => {
  expect(stateMachine({ DefinitionString: '{}' })).toMatchObject({ type: 'STANDARD', definition: '{}' });
  expect(stateMachine({ DefinitionString: '{}', StateMachineType: 'EXPRESS' })).toMatchObject({
    type: 'EXPRESS',
  });
});

test('a state machine defined elsewhere is refused', () => {
  expect(() => stateMachine({ DefinitionS3Location: {} })).toThrow('the property DefinitionS3Location');
  expect(() => stateMachine({})).toThrow(
    "the property DefinitionString of AWS::StepFunctions::StateMachine 'R'",
  );
});

test('a call by an ARN with a version or an alias finds that version', () => {
  const named = { 'Fn::GetAtt': ['F', 'Arn'] };
  const template = new Template({
    name: 'Stack',
    environment: { account: '000000000000', region: 'us-east-1' },
    template: {
      Resources: {
        F: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'f' } },
        First: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'F' } } },
        Second: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'F' } } },
        Live: {
          Type: 'AWS::Lambda::Alias',
          Properties: {
            FunctionName: { Ref: 'F' },
            Name: 'live',
            FunctionVersion: { 'Fn::GetAtt': ['Second', 'Version'] },
          },
        },
      },
    },
  });
  const versions = [named, { Ref: 'First' }, { Ref: 'Second' }, { Ref: 'Live' }].map((reference) => {
    const arn = template.resolve(reference) as string;
    return [arn.split(':').slice(6).join(':'), findFunction(template, arn)?.version];
  });
  expect(versions).toEqual([
    ['f', '$LATEST'],
    ['f:1', '1'],
    ['f:2', '2'],
    ['f:live', '2'],
  ]);
});
