import {
  findFunction,
  readBuckets,
  readFunction,
  readStateMachine,
} from '../../../local/cloudformation/resources';
import { Template } from '../../../local/cloudformation/template';
import type { JsonObject } from '../../../local/json';

const ARCHITECTURE = process.arch === 'x64' ? 'x86_64' : process.arch;
const ROLE = 'arn:aws:iam::000000000000:role/mine';

function templateOf(resources: JsonObject): Template {
  return new Template({
    name: 'S',
    environment: { account: '000000000000', region: 'us-east-1' },
    template: { Resources: resources },
  });
}

function lambdaFunction(more: JsonObject = {}) {
  const properties = {
    Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs22.x',
    Architectures: [ARCHITECTURE],
    Role: ROLE,
    ...more,
  };
  const template = templateOf({ R: { Type: 'AWS::Lambda::Function', Properties: properties } });
  return readFunction(template, template.resource('R'));
}

function buckets(properties: JsonObject) {
  const template = templateOf({ R: { Type: 'AWS::S3::Bucket', Properties: properties } });
  template.resolve({ Ref: 'R' });
  return readBuckets(template);
}

function stateMachine(properties: JsonObject) {
  const template = templateOf({ R: { Type: 'AWS::StepFunctions::StateMachine', Properties: properties } });
  return readStateMachine(template, template.resource('R'));
}

test("a function has Lambda's defaults, or its own settings", () => {
  expect(lambdaFunction()).toMatchObject({
    ...{ name: 'S-R', logGroup: '/aws/lambda/S-R', createsLogGroup: true, environment: {} },
    ...{ timeoutSeconds: 3, memoryMegabytes: 128, ephemeralStorageMegabytes: 512 },
  });
  const own = lambdaFunction({
    FunctionName: 'mine',
    Environment: { Variables: { BUCKET: { Ref: 'AWS::Region' }, NUMBER: 1 } },
    PackageType: 'Zip',
    LoggingConfig: { LogGroup: 'mine-logs' },
    VpcConfig: { SubnetIds: [{ Ref: 'Anything' }] },
  });
  expect(own).toMatchObject({
    ...{ name: 'mine', arn: 'arn:aws:lambda:us-east-1:000000000000:function:mine' },
    ...{ logGroup: 'mine-logs', createsLogGroup: false },
    environment: { BUCKET: 'us-east-1', NUMBER: '1' },
  });
});

test.each<[JsonObject, string]>([
  [{ Layers: [] }, "the property Layers of AWS::Lambda::Function 'R'"],
  [{ PackageType: 'Image' }, 'the PackageType "Image"'],
  [{ Runtime: 'python3.13' }, 'the Runtime "python3.13"'],
  [{ Code: { ZipFile: 'x' } }, 'the property Code.ZipFile'],
  [{ Code: {} }, 'the Code {}'],
])('a function with %j is refused by name', (more, message) => {
  expect(() => lambdaFunction(more)).toThrow(`the local cloud does not support ${message}`);
});

test('a function has the architecture of the template, and x86_64 without one', () => {
  const architectures = (more: JsonObject) => lambdaFunction(more).architecture;
  expect(architectures({ Architectures: ['arm64'] })).toBe('arm64');
  expect(architectures({ Architectures: undefined })).toBe('x86_64');
});

test('a bucket notifies EventBridge only', () => {
  const notifying = (kind: string) => buckets({ NotificationConfiguration: { [kind]: {} } });
  expect(notifying('EventBridgeConfiguration')).toEqual(['s-r']);
  expect(() => notifying('QueueConfigurations')).toThrow('NotificationConfiguration.QueueConfigurations');
});

test.each<[JsonObject, string]>([
  [{ DefinitionS3Location: {} }, 'the property DefinitionS3Location'],
  [{}, "the property DefinitionString of AWS::StepFunctions::StateMachine 'R'"],
  [{ StateMachineType: 'FAST' }, 'the StateMachineType "FAST"'],
])('a state machine with %j is refused', (properties, message) => {
  expect(() => stateMachine(properties)).toThrow(message);
});

test('a call by an ARN with a version or an alias finds that version', () => {
  const ofFunction = { FunctionName: { Ref: 'F' } };
  const alias = { ...ofFunction, Name: 'live', FunctionVersion: { 'Fn::GetAtt': ['Second', 'Version'] } };
  const template = templateOf({
    F: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'f' } },
    First: { Type: 'AWS::Lambda::Version', Properties: ofFunction },
    Second: { Type: 'AWS::Lambda::Version', Properties: ofFunction },
    Live: { Type: 'AWS::Lambda::Alias', Properties: alias },
  });
  const references = [{ 'Fn::GetAtt': ['F', 'Arn'] }, { Ref: 'First' }, { Ref: 'Second' }, { Ref: 'Live' }];
  const versions = references.map((reference) => {
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
