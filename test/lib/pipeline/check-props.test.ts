/** Props as callers in JavaScript can pass them: of another type, or misspelt. */
import type { Stack } from 'aws-cdk-lib';
import { Annotations, Duration, Lazy, Size } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
  Slicing,
  TensorStore,
} from '../../../lib';
import { PIPELINE_PROPS } from '../../../lib/pipeline/known-props';
import { MLP_PATH, addPipeline, errorOf, newStack } from '../../support/pipeline-stack';

type Untyped = Readonly<Record<string, unknown>>;

function refusal(props: Untyped): string {
  return errorOf(() => addPipeline(newStack(), 'Pipeline', props));
}

const DURATION = 'must be a Duration';
const BOOLEAN = 'must be true or false';
const KEY = 'must be a KMS key (kms.IKey)';
const IMPORT_KEY = "import it with kms.Key.fromKeyArn(this, 'MyKey', arn)";
const FUNCTION = 'must be a function (lambda.IFunction)';
const IMPORT_FUNCTION = "import it with lambda.Function.fromFunctionArn(this, 'MyFunction', arn)";
const RETENTION = 'must be one of logs.RetentionDays';
const WARM_UP = 'must be one of automatic, always, never';
const REMOVAL = 'must be one of destroy, retain, snapshot, retain-on-update-or-delete';
const PATH = 'must be the path of an ONNX model';
const PASS_PATH = 'pass the path of a file on this machine';

describe('the pipeline refuses', () => {
  test.each<[prop: string, value: unknown, message: string]>([
    ['modelPath', 5, `${PATH}, got 5: ${PASS_PATH}`],
    ['modelPath', null, `${PATH}, got null: ${PASS_PATH}`],
    ['modelPath', '', `${PATH}, got an empty string: ${PASS_PATH}`],
    ['modelPath', new URL('file:///m.onnx'), `${PATH}, got an object of type URL: ${PASS_PATH}`],
    [
      'slicedModel',
      'slices',
      "must be a SlicedModel, got the string 'slices': use SlicedModel.fromDirectory or SlicedModel.fromBucket",
    ],
    [
      'slicing',
      'auto',
      "must be an instance of Slicing, got the string 'auto': use Slicing.count(4), for example",
    ],
    ['slicing', 4, 'must be an instance of Slicing, got 4: use Slicing.count(4), for example'],
    [
      'slicing',
      Slicing,
      "must be an instance of Slicing, got the function or class 'Slicing': use Slicing.count(4), for example",
    ],
    ['dimensions', 5, 'must be an object of names and sizes, got 5: pass { batch: 1 }, for example'],
    [
      'dimensions',
      new Map([['batch', 1]]),
      'must be an object of names and sizes, got an object of type Map: pass { batch: 1 }, for example',
    ],
    [
      'dimensions',
      Promise.resolve({ batch: 1 }),
      'must be an object of names and sizes, got an object of type Promise: pass { batch: 1 }, for example',
    ],
    [
      'sliceFunctions',
      new Map([['memorySize', 1]]),
      'must be an object, got an object of type Map: pass { memorySize: 2048 }, for example',
    ],
    [
      'sliceFunctionOverrides',
      new Set(['slice-00']),
      "must be an object of slices and their options, got an object of type Set: pass { 'slice-00': { memorySize: 2048 } }, for example",
    ],
    [
      'vpcSubnets',
      new Map(),
      'must be a selection of subnets (ec2.SubnetSelection), got an object of type Map: pass { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }, for example',
    ],
    ['dimensions', [1], 'must be an object of names and sizes, got a list: pass { batch: 1 }, for example'],
    [
      'graphOptimization',
      'BASIC',
      "must be one of none, basic, extended, got the string 'BASIC': use GraphOptimization.BASIC",
    ],
    [
      'graphOptimization',
      'all',
      "must be one of none, basic, extended, got the string 'all': use a member of GraphOptimization",
    ],
    [
      'architecture',
      'arm64',
      "must be a lambda.Architecture, got the string 'arm64': use lambda.Architecture.ARM_64",
    ],
    [
      'architecture',
      lambda.Architecture,
      "must be a lambda.Architecture, got the function or class 'Architecture': use lambda.Architecture.X86_64 or ARM_64",
    ],
    [
      'architecture',
      lambda.Architecture.custom('riscv'),
      "must be one of x86_64, arm64, got the string 'riscv': use one of these",
    ],
    [
      'runtime',
      'nodejs22.x',
      "must be a lambda.Runtime, got the string 'nodejs22.x': use lambda.Runtime.NODEJS_22_X",
    ],
    ['runtime', 22, 'must be a lambda.Runtime, got 22: use lambda.Runtime.NODEJS_24_X'],
    [
      'stateMachineType',
      'express',
      "must be one of EXPRESS, STANDARD, got the string 'express': use sfn.StateMachineType.EXPRESS",
    ],
    ['timeout', 30, `${DURATION}, got 30: use Duration.seconds(30)`],
    ['timeout', '30', `${DURATION}, got the string '30': use Duration.seconds(30)`],
    ['timeout', 'soon', `${DURATION}, got the string 'soon': use Duration.seconds(60), for example`],
    ['timeout', '5min', `${DURATION}, got the string '5min': use Duration.minutes(5)`],
    ['timeout', 30n, `${DURATION}, got the bigint 30n: use Duration.seconds(30)`],
    ['timeout', -1, `${DURATION}, got -1: use Duration.seconds(60), for example`],
    ['timeout', Infinity, `${DURATION}, got Infinity: use Duration.seconds(60), for example`],
    ['timeout', { toSeconds: 1 }, `${DURATION}, got an object: use Duration.seconds(60), for example`],
    ['warmUp', 'ALWAYS', `${WARM_UP}, got the string 'ALWAYS': use WarmUp.ALWAYS`],
    ['warmUp', 'sometimes', `${WARM_UP}, got the string 'sometimes': use a member of WarmUp`],
    ['warmUp', true, `${WARM_UP}, got true: use a member of WarmUp`],
    [
      'warmUp',
      Lazy.string({ produce: () => 'always' }),
      `${WARM_UP}, got a CDK token: use a member of WarmUp`,
    ],
    ['float16Transport', 'true', `${BOOLEAN}, got the string 'true': pass true, without quotes`],
    ['float16Transport', 1, `${BOOLEAN}, got 1: pass one of these`],
    ['sliceFunctions', 512, 'must be an object, got 512: pass { memorySize: 2048 }, for example'],
    [
      'sliceFunctionOverrides',
      512,
      "must be an object of slices and their options, got 512: pass { 'slice-00': { memorySize: 2048 } }, for example",
    ],
    [
      'bucket',
      'my-bucket',
      "must be a bucket (s3.IBucket), got the string 'my-bucket': import it with s3.Bucket.fromBucketName(this, 'MyBucket', name)",
    ],
    [
      'tensorStore',
      'use1-az5',
      "must be a TensorStore, got the string 'use1-az5': use TensorStore.s3Standard() or TensorStore.s3ExpressOneZone(zone)",
    ],
    ['encryptionKey', 'arn:aws', `${KEY}, got the string 'arn:aws': ${IMPORT_KEY}`],
    ['assetEncryptionKey', 'arn:aws', `${KEY}, got the string 'arn:aws': ${IMPORT_KEY}`],
    ['logEncryptionKey', {}, `${KEY}, got an empty object: ${IMPORT_KEY}`],
    ['logEncryptionKey', { keyArn: 'x' }, `${KEY}, got an object: ${IMPORT_KEY}`],
    ['intermediateRetention', 1, `${DURATION}, got 1: use Duration.days(1)`],
    ['outputRetention', '14', `${DURATION}, got the string '14': use Duration.days(14)`],
    ['removalPolicy', 'DESTROY', `${REMOVAL}, got the string 'DESTROY': use RemovalPolicy.DESTROY`],
    ['autoDeleteObjects', 'True', `${BOOLEAN}, got the string 'True': pass true, without quotes`],
    [
      'vpc',
      'vpc-1',
      "must be a VPC (ec2.IVpc), got the string 'vpc-1': import it with ec2.Vpc.fromLookup(this, 'MyVpc', { vpcId })",
    ],
    [
      'vpcSubnets',
      'private',
      "must be a selection of subnets (ec2.SubnetSelection), got the string 'private': pass { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }, for example",
    ],
    [
      'securityGroups',
      'sg-1',
      "must be a list of security groups, got the string 'sg-1': pass [securityGroup], for example",
    ],
    ['logRetention', 6, `${RETENTION}, got 6: use a member of logs.RetentionDays`],
    ['logRetention', '7', `${RETENTION}, got the string '7': use logs.RetentionDays.ONE_WEEK`],
    ['logRetention', 'ONE_DAY', `${RETENTION}, got the string 'ONE_DAY': use logs.RetentionDays.ONE_DAY`],
    [
      'logRetention',
      Duration.days(1),
      `${RETENTION}, got Duration.days(1): use a member of logs.RetentionDays`,
    ],
    [
      'logLevel',
      'error',
      "must be one of OFF, ALL, ERROR, FATAL, got the string 'error': use sfn.LogLevel.ERROR",
    ],
    ['tracing', 'false', `${BOOLEAN}, got the string 'false': pass false, without quotes`],
    ['sliceMetrics', 'yes', `${BOOLEAN}, got the string 'yes': pass one of these`],
    ['preprocess', 'arn:aws', `${FUNCTION}, got the string 'arn:aws': ${IMPORT_FUNCTION}`],
    ['preprocess', { functionArn: 'x' }, `${FUNCTION}, got an object: ${IMPORT_FUNCTION}`],
    ['postprocess', Lazy, `${FUNCTION}, got the function or class 'Lazy': ${IMPORT_FUNCTION}`],
  ])('%s %p', (prop, value, message) => {
    expect(refusal({ [prop]: value })).toBe(`${prop} ${message}`);
  });

  test.each(Object.keys(PIPELINE_PROPS).filter((name) => name !== 'modelPath'))('null for %s', (prop) => {
    expect(refusal({ [prop]: null })).toBe(`${prop} must have a value, got null: leave it out`);
  });

  test.each<[props: Untyped, message: string]>([
    [
      { securityGroups: ['sg-1'] },
      "securityGroups[0] must be a security group (ec2.ISecurityGroup), got the string 'sg-1': " +
        "import it with ec2.SecurityGroup.fromSecurityGroupId(this, 'MyGroup', id)",
    ],
    [
      { dimensions: { batch: '1' } },
      "the size of dimension 'batch' must be a number, got the string '1': pass 1, without quotes",
    ],
    [
      { dimensions: { batch: null } },
      "the size of dimension 'batch' must be a number, got null: pass a number",
    ],
    [
      { sliceFunctions: { memorySize: '512' } },
      "sliceFunctions.memorySize must be a number, got the string '512': pass 512, without quotes",
    ],
    [
      { sliceFunctions: { timeout: 30 } },
      'sliceFunctions.timeout must be a Duration, got 30: use Duration.seconds(30)',
    ],
    [
      { sliceFunctions: { ephemeralStorageSize: 512 } },
      'sliceFunctions.ephemeralStorageSize must be a Size, got 512: use Size.mebibytes(512)',
    ],
    [
      { sliceFunctions: { ephemeralStorageSize: '1GB' } },
      "sliceFunctions.ephemeralStorageSize must be a Size, got the string '1GB': use Size.gibibytes(1)",
    ],
    [
      { sliceFunctions: { reservedConcurrentExecutions: '3' } },
      "sliceFunctions.reservedConcurrentExecutions must be a number, got the string '3': pass 3, without quotes",
    ],
    [
      { sliceFunctions: { provisionedConcurrentExecutions: true } },
      'sliceFunctions.provisionedConcurrentExecutions must be a number, got true: pass a number',
    ],
    [
      { sliceFunctions: { environment: ['LEVEL=1'] } },
      "sliceFunctions.environment must be an object of names and values, got a list: pass { LOG_LEVEL: 'info' }, for example",
    ],
    [
      { sliceFunctions: { environment: { LEVEL: 1 } } },
      "sliceFunctions.environment['LEVEL'] must be a string, got 1: pass a string",
    ],
    [
      { sliceFunctions: { environment: null } },
      'sliceFunctions.environment must have a value, got null: leave it out',
    ],
    [
      { sliceFunctionOverrides: { 'slice-00': 512 } },
      "sliceFunctionOverrides['slice-00'] must be an object, got 512: pass { memorySize: 2048 }, for example",
    ],
    [
      { sliceFunctionOverrides: { 'slice-00': { memorySize: '512' } } },
      "sliceFunctionOverrides['slice-00'].memorySize must be a number, got the string '512': pass 512, without quotes",
    ],
  ])('%j', (props, message) => {
    expect(refusal(props)).toBe(message);
  });

  test.each<[props: unknown, got: string]>([
    [null, 'null'],
    [MLP_PATH, `the string '${MLP_PATH}'`],
    [[], 'an empty list'],
  ])('%j in place of the props', (props, got) => {
    expect(errorOf(() => new SlicedInferencePipeline(newStack(), 'Pipeline', props as object))).toBe(
      `the props of SlicedInferencePipeline must be an object, got ${got}: pass { modelPath: 'model.onnx' }, for example`,
    );
  });

  test.each([undefined, {}])('%j as the props, as jsii passes them if a Python caller sets none', (props) => {
    expect(errorOf(() => new SlicedInferencePipeline(newStack(), 'Pipeline', props as object))).toBe(
      'a pipeline must have a model, got neither modelPath nor slicedModel: set one of them',
    );
  });

  test.each<[options: Untyped, got: string]>([
    [{}, 'an empty object'],
    [{ memory_size: undefined }, 'an object'],
  ])('the override %p, as jsii passes {"memory_size": 2048} of a Python caller', (options, got) => {
    expect(refusal({ sliceFunctionOverrides: { 'slice-00': options } })).toBe(
      `sliceFunctionOverrides['slice-00'] must set an option, got ${got}: ` +
        'pass { memorySize: 2048 }, for example, or in Python SliceFunctionOptions(memory_size=2048)',
    );
  });

  test('a path with a NUL character', () => {
    expect(refusal({ modelPath: 'a\0b' })).toBe(
      "model 'a\\x00b' must be an ONNX file, got a path with a NUL character: remove the character",
    );
  });

  test.each<[scope: unknown, got: string]>([
    ['Stack', "the string 'Stack'"],
    [undefined, 'undefined'],
    [{ node: {} }, 'an object'],
    [Slicing, "the function or class 'Slicing'"],
  ])('%p as the scope', (scope, got) => {
    for (const type of [SlicedInferencePipeline, SlicedInferenceAlarms, SlicedInferenceDashboard]) {
      const create = type as unknown as new (scope: unknown, id: string, props: object) => unknown;
      expect(errorOf(() => new create(scope, 'Id', {}))).toBe(
        `the scope of ${type.name} must be a construct, got ${got}: pass your stack, for example`,
      );
    }
  });

  test('props in place of the id', () => {
    const create = SlicedInferencePipeline as unknown as new (scope: Stack, props: object) => unknown;
    expect(errorOf(() => new create(newStack(), { modelPath: MLP_PATH }))).toBe(
      'the id of SlicedInferencePipeline must be a string, got an object: pass scope, id and props',
    );
  });
});

describe('the pipeline accepts', () => {
  test('the values of enumerations as strings, and undefined for what is not set', () => {
    const stack = newStack();
    const names = Object.keys(PIPELINE_PROPS).filter((name) => name !== 'modelPath' && name !== 'dimensions');
    const unset = Object.fromEntries([...names, 'memory', 'timeOut'].map((name) => [name, undefined]));
    const strings = { warmUp: 'always', graphOptimization: 'none', logLevel: 'ALL', removalPolicy: 'retain' };
    const pipeline = addPipeline(stack, 'Pipeline', { ...unset, ...strings, logRetention: 7 } as Untyped);
    expect(pipeline.functions).toHaveLength(1);
    expect(Found.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });

  test('a variable with the name `then`, which a promise has too', () => {
    const sliceFunctions = { environment: { then: 'x' } };
    expect(addPipeline(newStack(), 'Pipeline', { sliceFunctions }).functions).toHaveLength(1);
  });

  test('an override whose option a condition leaves undefined', () => {
    const overrides = { 'slice-00': { memorySize: undefined } };
    expect(addPipeline(newStack(), 'Pipeline', { sliceFunctionOverrides: overrides }).functions).toHaveLength(
      1,
    );
  });

  test('imported and created constructs, and objects of every kind', () => {
    const stack = newStack();
    const vpc = new ec2.Vpc(stack, 'Vpc');
    const fn = lambda.Function.fromFunctionArn(
      stack,
      'F',
      'arn:aws:lambda:eu-west-1:123456789012:function:f',
    );
    const pipeline = addPipeline(stack, 'Pipeline', {
      bucket: s3.Bucket.fromBucketName(stack, 'B', 'my-bucket'),
      tensorStore: TensorStore.s3Standard(),
      assetEncryptionKey: kms.Key.fromKeyArn(stack, 'K', 'arn:aws:kms:eu-west-1:123456789012:key/1'),
      logEncryptionKey: new kms.Key(stack, 'Logs'),
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'G', 'sg-1')],
      logRetention: logs.RetentionDays.ONE_DAY,
      stateMachineType: sfn.StateMachineType.STANDARD,
      timeout: Duration.minutes(5),
      slicing: Slicing.count(2),
      sliceFunctions: {
        memorySize: Lazy.number({ produce: () => 1024 }),
        ephemeralStorageSize: Size.gibibytes(1),
        environment: { LEVEL: Lazy.string({ produce: () => 'info' }) },
      },
      sliceFunctionOverrides: { 'slice-00': { memorySize: 2048 } },
      preprocess: fn,
      postprocess: fn,
    });
    expect(pipeline.functions).toHaveLength(2);
  });
});

describe('a name that is nearly that of a prop', () => {
  const props = 'the props of SlicedInferencePipeline';

  test.each<[props: Untyped, where: string, name: string, meant: string]>([
    [{ model_path: 'x' }, props, 'model_path', 'modelPath'],
    [{ modelpath: 'x' }, props, 'modelpath', 'modelPath'],
    [{ modelPth: 'x' }, props, 'modelPth', 'modelPath'],
    [{ ModelPath: 'x' }, props, 'ModelPath', 'modelPath'],
    [{ 'warm-up': 'always' }, props, 'warm-up', 'warmUp'],
    [{ float16_transport: true }, props, 'float16_transport', 'float16Transport'],
    [{ vpcs: [] }, props, 'vpcs', 'vpc'],
    [{ sliceFunctions: { memory_size: 512 } }, 'sliceFunctions', 'memory_size', 'memorySize'],
    [{ sliceFunctions: { timeOut: 5 } }, 'sliceFunctions', 'timeOut', 'timeout'],
    [
      { sliceFunctionOverrides: { 'slice-00': { memorysize: 512 } } },
      "sliceFunctionOverrides['slice-00']",
      'memorysize',
      'memorySize',
    ],
  ])('is refused: %j', (given, where, name, meant) => {
    expect(refusal(given)).toBe(`${where} must have props that exist, got '${name}': use ${meant}`);
  });
});

describe('an unknown name', () => {
  const ID = 'cdk-sliced-inference:unknownProp';

  function warnings(props: Untyped, acknowledged: string[] = []): unknown[] {
    const stack = newStack();
    const pipeline = addPipeline(stack, 'Pipeline', props);
    for (const id of acknowledged) Annotations.of(pipeline).acknowledgeWarning(id, 'known');
    return Found.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => entry.data);
  }

  test.each<[props: Untyped, warning: string]>([
    [
      { banana: 1 },
      "the props of SlicedInferencePipeline must have props that exist, got 'banana', which has no effect: remove it",
    ],
    [
      { memory_size: 512 },
      "the props of SlicedInferencePipeline must have props that exist, got 'memory_size', which has no effect: use sliceFunctions.memorySize",
    ],
    [
      { model: 'm.onnx' },
      "the props of SlicedInferencePipeline must have props that exist, got 'model', which has no effect: use modelPath or remove it",
    ],
    [
      { ephemeralStorage: 1024 },
      "the props of SlicedInferencePipeline must have props that exist, got 'ephemeralStorage', which has no effect: use sliceFunctions.ephemeralStorageSize or remove it",
    ],
    [
      { slice: 1 },
      "the props of SlicedInferencePipeline must have props that exist, got 'slice', which has no effect: remove it",
    ],
    [
      { log: 1 },
      "the props of SlicedInferencePipeline must have props that exist, got 'log', which has no effect: remove it",
    ],
    [
      { sliceFunctions: { memory: 1 } },
      "sliceFunctions must have props that exist, got 'memory', which has no effect: use memorySize or remove it",
    ],
    [
      { sliceFunctions: { color: 1 } },
      "sliceFunctions must have props that exist, got 'color', which has no effect: remove it",
    ],
    [
      { sliceFunctionOverrides: { 'slice-00': { color: 1 } } },
      "sliceFunctionOverrides['slice-00'] must have props that exist, got 'color', which has no effect: remove it",
    ],
  ])('is a warning that can be acknowledged: %j', (props, warning) => {
    expect(warnings(props)).toEqual([`${warning} [ack: ${ID}]`]);
    expect(warnings(props, [ID])).toEqual([]);
  });

  test('is reported each', () => {
    expect(warnings({ env: {}, stackName: 'a' })).toHaveLength(2);
  });
});
