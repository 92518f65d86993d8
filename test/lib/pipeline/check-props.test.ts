/** Props and options that cannot work: each is refused by one sentence, not by an error from the inside. */
import * as path from 'node:path';
import { Duration, Lazy, Size, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import {
  type SlicedInferencePipelineProps,
  Consolidation,
  SlicedInferenceAlarms,
  SlicedInferencePipeline,
  SlicedModel,
  SliceMetric,
  Slicing,
  TensorStore,
} from '../../../lib';
import { located } from '../../../lib/aws/annotate';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { fileWith } from '../../support/changed-json';
import { MLP_PATH, addPipeline, errorOf, newStack, pipelineStack } from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

type Props = Partial<SlicedInferencePipelineProps>;

const number = (): number => Lazy.number({ produce: () => 1 });
const text = (): string => Lazy.string({ produce: () => 'x' });

const known = 'must be known at synth time, got a CDK token: pass the value';
const express = 'the timeout of an Express state machine must be at most 5 minutes, got';
const withVpc = 'must be combined with the vpc that they belong to, got no vpc';
const node20 = 'runtime must be Node.js 20 or newer, got';
const fixed = 'slicedModel cannot be combined with modelPath, slicing, dimensions or graphOptimization, got';
const tensors = 'tensors in S3 Express One Zone must be encrypted with keys that S3 manages';

const mine = (stack: Stack) => ({ bucket: new s3.Bucket(stack, 'Mine') });
const key = (stack: Stack) => ({ encryptionKey: new kms.Key(stack, 'Key') });
const one = { slicing: Slicing.count(1) };
const days = Duration.days(2);
const zone = { tensorStore: TensorStore.s3ExpressOneZone('use1-az5') };
const [reserved, more] = [{ reservedConcurrentExecutions: 2 }, { provisionedConcurrentExecutions: 3 }];
const always = { slicing: Slicing.count(4), consolidation: Consolidation.ALWAYS };
const { folder, file, plan } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));

/** A plan of a stranger, whose digest would lead out of the cloud assembly. */
const hostile = fileWith(JSON.stringify({ ...plan, planDigest: 'x/../../cdk' }), 'plan.json');
const noDigest = "must be 64 lower-case hexadecimal digits, got 'x/../../cdk'";

const sliced = () => ({ slicedModel: SlicedModel.fromDirectory(folder) });
const alone = () => ({ ...sliced(), modelPath: undefined, dimensions: undefined }) as never as Props;

test.each<[words: string, props: Props | ((stack: Stack) => Props)]>([
  [`modelPath ${known}`, { modelPath: text() }],
  ["'/nowhere' must be an ONNX file, got no such file or folder", { modelPath: '/nowhere' }],
  [`${fixed} modelPath`, () => ({ ...alone(), modelPath: MLP_PATH })],
  [`${fixed} slicing, dimensions`, () => ({ ...alone(), slicing: always.slicing, dimensions: {} })],
  [`the size of dimension 'batch' ${known}`, { dimensions: { batch: number() } }],
  ["the size of dimension 'batch' must be a whole number from 1", { dimensions: { batch: 0 } }],
  ['architecture must be one of x86_64, arm64', { architecture: lambda.Architecture.custom('riscv') }],
  ['timeout must be 1 second or more, got 0 seconds', { timeout: Duration.seconds(0) }],
  ['outputRetention must be a whole number of days', { outputRetention: Duration.days(0) }],
  ['intermediateRetention must be a whole number of days', { intermediateRetention: Duration.hours(36) }],
  [`${node20} python3.12`, { runtime: lambda.Runtime.PYTHON_3_12 }],
  [`${node20} nodejs18.x`, { runtime: new lambda.Runtime('nodejs18.x', lambda.RuntimeFamily.NODEJS) }],
  [`${express} 5 minutes 1 second: shorten it or`, { timeout: Duration.seconds(301) }],
  ['encryptionKey cannot be combined with bucket', (stack) => ({ ...mine(stack), ...key(stack) })],
  ['got both: add a lifecycle rule to your', (stack) => ({ ...mine(stack), intermediateRetention: days })],
  ['set autoDeleteObjects of your bucket', (stack) => ({ ...mine(stack), autoDeleteObjects: true })],
  [tensors, (stack) => ({ ...zone, ...key(stack) })],
  ['got an alias imported by name', (stack) => ({ encryptionKey: kms.Alias.fromAliasName(stack, 'A', 'a') })],
  [`vpcSubnets ${withVpc}`, { vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED } }],
  [`securityGroups ${withVpc}`, { securityGroups: [] }],
  ['must have one group or more', (stack) => ({ vpc: new ec2.Vpc(stack, 'Vpc'), securityGroups: [] })],
  ['got slicedModel, which has no', () => ({ ...alone(), consolidation: Consolidation.ALWAYS })],
  // jsii drops the unknown name of {"memory_size": 2048} in Python, because it is in a map.
  ["sliceFunctionOverrides['slice-00'] must set an option", { sliceFunctionOverrides: { 'slice-00': {} } }],
  ['must fit a Lambda function of 10240 MB, got an estimate', { ...one, dimensions: { batch: 1e8 } }],
  // Of which one is of all slices, and the other one of a slice.
  [
    'got 3 provisioned and 2 reserved',
    { sliceFunctions: reserved, sliceFunctionOverrides: { 'slice-00': more } },
  ],
])('the pipeline refuses props: %s', (words, props) => {
  expect(errorOf(() => pipelineStack(props))).toContain(words);
});

test.each(['slice-1', 'slice-03', 'toString', 'whole'])('%j is no name of a slice of the plan', (name) => {
  expect(errorOf(() => pipelineStack({ sliceFunctionOverrides: { [name]: { memorySize: 512 } } }))).toContain(
    `sliceFunctionOverrides must name slices of the plan (slice-00 to slice-00), got '${name}'`,
  );
});

const provisioned = 'provisionedConcurrentExecutions must be at most reservedConcurrentExecutions, got 3';

test.each<[words: string, options: NonNullable<Props['sliceFunctions']>]>([
  ['memorySize must be a whole number of MB from 128 to 10240, got 10241', { memorySize: 10_241 }],
  ['timeout must be a whole number of seconds from 1 to 900, got 960', { timeout: Duration.minutes(16) }],
  ['reservedConcurrentExecutions must be a whole number of 1', { reservedConcurrentExecutions: 0 }],
  ['provisionedConcurrentExecutions must be a whole number', { provisionedConcurrentExecutions: 0.5 }],
  [provisioned, { ...reserved, ...more }],
  ['environment must not set variables that the library uses', { environment: { SLICE_BUCKET: 'mine' } }],
  ['environment must have names of two or more letters, digits', { environment: { '1A': '' } }],
])('the options of all slices and of one are refused: %s', (words, options) => {
  expect(errorOf(() => pipelineStack({ sliceFunctions: options }))).toContain(`sliceFunctions.${words}`);
  expect(errorOf(() => pipelineStack({ sliceFunctionOverrides: { 'slice-00': options } }))).toContain(
    `sliceFunctionOverrides['slice-00'].${words}`,
  );
});

test.each([undefined, {}])('%j as the props, as jsii passes them if a Python caller sets none', (props) => {
  expect(errorOf(() => new SlicedInferencePipeline(newStack(), 'Pipeline', props as object))).toBe(
    'Stack/Pipeline: a pipeline must have a model, got neither modelPath nor slicedModel: set one of them',
  );
});

test('an error names its construct once, also in its stack and inside of another construct', () => {
  const scope = new Construct(newStack(), 'Own');
  let error: unknown;
  try {
    new SlicedInferencePipeline(scope, 'Ocr', { modelPath: 'missing.onnx' });
  } catch (thrown) {
    error = located(scope, thrown);
  }
  const message =
    "Stack/Own/Ocr: model 'missing.onnx' must be an ONNX file, got no such file or folder: check the path";
  expect(error).toMatchObject({ message, stack: expect.stringContaining(`Error: ${message}\n`) as string });
});

test('a pipeline that throws leaves no functions in the stack', () => {
  const stack = newStack();
  expect(() => addPipeline(stack, 'Pipeline', { slicing: Slicing.count(1000) })).toThrow();
  expect(stack.node.findAll().filter((construct) => construct instanceof lambda.Function)).toEqual([]);
});

test.each<Props>([
  { timeout: Duration.seconds(number()), intermediateRetention: Duration.days(number()) },
  { outputRetention: Duration.days(number()) },
  { runtime: new lambda.Runtime('nodejs20.x', lambda.RuntimeFamily.NODEJS) },
  // A runtime of the future, for which CDK has no constant.
  { runtime: new lambda.Runtime('nodejs100.x', lambda.RuntimeFamily.NODEJS) },
  { runtime: new lambda.Runtime(text(), lambda.RuntimeFamily.NODEJS) },
  { sliceFunctionOverrides: { 'slice-00': { memorySize: undefined } } },
  { dimensions: { batch: 60_000_000 }, slicing: Slicing.count(1), sliceFunctions: { memorySize: 10_240 } },
  {
    sliceFunctions: {
      memorySize: number(),
      timeout: Duration.seconds(number()),
      ephemeralStorageSize: Size.mebibytes(number()),
      reservedConcurrentExecutions: number(),
      environment: { LEVEL: text() },
    },
  },
])('the pipeline accepts props %#', (props) => {
  expect(addPipeline(newStack(), 'Pipeline', props).functions).toHaveLength(1);
});

const bucket = s3.Bucket.fromBucketName(new Stack(), 'Bucket', 'my-bucket');
const fromBucket = (prefix: string, plan = file) => SlicedModel.fromBucket(bucket, prefix, plan);
const memory = 'maxMemorySize must be a whole number of MB from 512 to 10240';

test.each<[words: string, make: () => unknown]>([
  ["such as use1-az5, got 'us-east-1a'", () => TensorStore.s3ExpressOneZone('us-east-1a')],
  [`${memory}, got 10241: use at most the memory that`, () => Slicing.automatic({ maxMemorySize: 10_241 })],
  ['maxLatency must be a number above 0, got 0', () => Slicing.automatic({ maxLatency: Duration.millis(0) })],
  ['requestsPerHour must be a number above 0', () => Slicing.count(1, { requestsPerHour: Infinity })],
  ["plan '' must be a readable file, got an empty string", () => Slicing.fromPlan('')],
  ["plan.json' must be a readable file, got an S3 address", () => SlicedModel.fromDirectory('s3://b/slices')],
  [`the number of slices ${known}`, () => Slicing.count(number())],
  [`the size of a slice ${known}`, () => Slicing.maxSliceSize(Size.mebibytes(number()))],
  [`the names of tensors ${known}`, () => Slicing.atTensors(Lazy.list({ produce: () => ['h'] }))],
  [`the path of a plan ${known}`, () => Slicing.fromPlan(text())],
  [noDigest, () => SlicedModel.fromDirectory(path.dirname(hostile))],
  [noDigest, () => fromBucket('ocr', hostile)],
  [noDigest, () => Slicing.fromPlan(hostile)],
  [`the folder of a sliced model ${known}`, () => SlicedModel.fromDirectory(text())],
])('slicing, sliced models and tensor stores are refused: %s', (words, make) => {
  const use = (): unknown => {
    const made = make();
    return made instanceof Slicing && addPipeline(newStack(), 'Pipeline', { slicing: made });
  };
  expect(errorOf(use)).toContain(words);
});

test.each(['*', '${aws:username}', 'ocr/../other', '/ocr', 'a\nb'])(
  'the prefix %j, which would mean more than itself in a policy or a key, is refused',
  (prefix) => {
    expect(errorOf(() => fromBucket(prefix))).toMatch(
      /^the prefix of a sliced model must be one that `sliced-inference slice` accepts, got '[^\n]*': a prefix [^\n]*$/,
    );
  },
);

test('monitoring refuses wrong numbers and tokens', () => {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), sliceMetrics: true });
  const refusal = (slice: number) => errorOf(() => pipeline.metricSlice(slice, SliceMetric.RUN_TIME));
  for (const slice of [3, -1, 0.5]) expect(refusal(slice)).toContain(`from 0 to 2, got ${slice}`);
  expect(refusal(number())).toContain('from 0 to 2, got a CDK token');
  const maxTime = Duration.seconds(number());
  expect(errorOf(() => new SlicedInferenceAlarms(stack, 'Alarms', { pipeline, maxTime }))).toContain(known);
  const alarms = (id: string, props: object): string =>
    errorOf(() => new SlicedInferenceAlarms(stack, id, { pipeline, ...props }));
  expect(alarms('A', { maxFailedRuns: 0 })).toContain('must be a whole number of 1 or more, got 0');
  expect(alarms('B', { maxTime: Duration.seconds(0) })).toContain('/B: maxTime must be more than 0, got 0');
  expect(alarms('C', { pipeline: undefined })).toContain('Stack/C: pipeline must be set, got undefined: ');
});
