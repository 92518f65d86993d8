import type { Json, JsonObject } from '../../../local/json';
import { Template } from '../../../local/cloudformation/template';

function machineAlias(properties: JsonObject) {
  return { Type: 'AWS::StepFunctions::StateMachineAlias', Properties: properties };
}

const RESOURCES = {
  Bucket: { Type: 'AWS::S3::Bucket' },
  Named: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Sub': 'b-${AWS::Region}' } } },
  Fn: { Type: 'AWS::Lambda::Function' },
  Weighted: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: 'f', Name: 'x', RoutingConfig: {} } },
  Machine: { Type: 'AWS::StepFunctions::StateMachine' },
  MachineVersion: {
    Type: 'AWS::StepFunctions::StateMachineVersion',
    Properties: { StateMachineArn: { Ref: 'Machine' } },
  },
  Shifting: machineAlias({
    DeploymentPreference: {
      StateMachineVersionArn: { Ref: 'MachineVersion' },
      Alarms: [{ Ref: 'Elsewhere' }],
    },
  }),
  Pointless: machineAlias({ RoutingConfiguration: [] }),
  Queue: { Type: 'AWS::SQS::Queue' },
};

function template(parameters: JsonObject = {}, name = 'Stack'): Template {
  return new Template({
    name,
    environment: { account: '111111111111', region: 'eu-west-1' },
    template: { Resources: RESOURCES, Parameters: parameters },
  });
}

test.each<[Json, Json]>([
  ['text', 'text'],
  [{ Ref: 'Bucket' }, 'stack-bucket'],
  [{ Ref: 'Named' }, 'b-eu-west-1'],
  [{ 'Fn::GetAtt': 'Bucket.Arn' }, 'arn:aws:s3:::stack-bucket'],
  [{ Ref: 'Shifting' }, 'arn:aws:states:eu-west-1:111111111111:stateMachine:Stack-Machine:Stack-Shifting'],
  [{ 'Fn::Join': ['-', ['a', { Ref: 'Bucket' }, 1, true]] }, 'a-stack-bucket-1-true'],
  [
    { 'Fn::Sub': '${Bucket}/${Fn.Arn}/${!Literal}' },
    'stack-bucket/arn:aws:lambda:eu-west-1:111111111111:function:Stack-Fn/${Literal}',
  ],
  [{ 'Fn::Sub': ['${x}:${AWS::Region}', { x: { Ref: 'Named' } }] }, 'b-eu-west-1:eu-west-1'],
  [{ 'Fn::Select': [1, { 'Fn::Split': ['|', 'a|b|c'] }] }, 'b'],
  [
    { list: [1, { Ref: 'AWS::NoValue' }, 2], gone: { Ref: 'AWS::NoValue' }, deep: { Ref: 'Fn' } },
    { list: [1, 2], deep: 'Stack-Fn' },
  ],
  [
    { Ref: 'x', other: 1 },
    { Ref: 'x', other: 1 },
  ],
])('%j resolves to %j', (value, expected) => {
  expect(template().resolve(value)).toEqual(expected);
});

test('a generated name that would be too long ends in a hash', () => {
  const name = template({}, `A-Very-${'Long-'.repeat(20)}Name`).resolve({ Ref: 'Bucket' });
  expect(name).toMatch(/^a-very-long-[a-z-]+-[0-9a-f]{8}$/);
  expect(name).toHaveLength(63);
});

test.each<[Json, string]>([
  [
    { 'Fn::ImportValue': 'x' },
    "does not support the intrinsic function Fn::ImportValue in the stack 'Stack'",
  ],
  [{ Ref: 'Queue' }, "does not support AWS::SQS::Queue, which the pipeline refers to as 'Queue'"],
  [
    { 'Fn::GetAtt': ['Bucket', 'DomainName'] },
    "does not support the attribute DomainName of AWS::S3::Bucket 'Bucket'",
  ],
  [{ Ref: 'Weighted' }, 'does not support the property RoutingConfig of AWS::Lambda::Alias'],
  [
    { Ref: 'Pointless' },
    "AWS::StepFunctions::StateMachineAlias 'Pointless' without a version of a state machine",
  ],
  [{ Ref: 'Nobody' }, "refers to 'Nobody', got no such resource"],
  [{ 'Fn::Join': ['-'] }, 'malformed Fn::Join'],
  [{ 'Fn::Join': ['', [{ a: 1 }]] }, 'Fn::Join expects text, got {"a":1}'],
])('%j is refused', (value, message) => {
  expect(() => template().resolve(value)).toThrow(message);
});

test('a parameter resolves to its default, and is refused without a known value', () => {
  const value = (parameter: JsonObject) => template({ P: parameter }).resolve({ Ref: 'P' });
  expect(value({ Type: 'String', Default: 'd' })).toBe('d');
  for (const parameter of [
    { Type: 'String' },
    { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' },
  ]) {
    expect(() => value(parameter)).toThrow("does not support the parameter 'P' of the stack 'Stack'");
  }
});
