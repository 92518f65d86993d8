/** Values that TypeScript and jsii accept and that cannot work: each is refused by one sentence, not by an error from the inside. */
import { Duration, Lazy, Size, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import {
  type SlicedInferencePipelineProps,
  SlicedInferenceAlarms,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
} from '../../../lib';
import { MLP_PATH, addPipeline, errorOf, newStack } from '../../support/pipeline-stack';

type Props = Partial<SlicedInferencePipelineProps>;

const TOKEN = Lazy.number({ produce: () => 1 });
const memory = 'sliceFunctions.memorySize must be a whole number of MB from 128 to 10240';
const reserved = 'sliceFunctions.reservedConcurrentExecutions must be a whole number of 1 or more';
const count = 'the number of slices must be a whole number of 1 or more';
const known = 'must be known at synth time, got a CDK token';

test.each<[props: Props, words: string]>([
  [{ modelPath: '' }, 'modelPath must be a path that is known at synth time, got an empty string'],
  [{ modelPath: 'a\0b' }, "model 'a\\x00b' must be an ONNX file, got a path with a NUL character"],
  [{ dimensions: { batch: TOKEN } }, `the size of dimension 'batch' ${known}`],
  [{ dimensions: { '': 1 } }, 'dimension'],
  [{ architecture: lambda.Architecture.custom('riscv') }, 'architecture must be one of x86_64, arm64'],
  [{ timeout: Duration.seconds(NaN) }, 'timeout must be 1 second or more'],
  [{ intermediateRetention: Duration.hours(36) }, 'intermediateRetention must be a whole number of days'],
  [{ outputRetention: Duration.days(0) }, 'outputRetention must be a whole number of days, 1 or more'],
  [{ autoDeleteObjects: true }, 'autoDeleteObjects must be combined with removalPolicy DESTROY'],
  [{ sliceFunctions: { memorySize: NaN } }, `${memory}, got NaN`],
  [{ sliceFunctions: { memorySize: -512 } }, `${memory}, got -512`],
  [{ sliceFunctions: { memorySize: 512.5 } }, `${memory}, got 512.5`],
  [{ sliceFunctions: { memorySize: Infinity } }, `${memory}, got Infinity`],
  [{ sliceFunctions: { timeout: Duration.millis(500) } }, 'sliceFunctions.timeout must be a whole number'],
  [{ sliceFunctions: { timeout: Duration.seconds(NaN) } }, 'sliceFunctions.timeout must be a whole number'],
  [
    { sliceFunctions: { ephemeralStorageSize: Size.bytes(1) } },
    'ephemeralStorageSize must be a whole number',
  ],
  [{ sliceFunctions: { reservedConcurrentExecutions: 0 } }, `${reserved}, got 0`],
  [{ sliceFunctions: { reservedConcurrentExecutions: NaN } }, `${reserved}, got NaN`],
  [{ sliceFunctions: { environment: { '': 'x' } } }, 'sliceFunctions.environment must have names'],
  // jsii drops the unknown name of {"memory_size": 2048} in Python, because it is in a map.
  [{ sliceFunctionOverrides: { 'slice-00': {} } }, "sliceFunctionOverrides['slice-00'] must set an option"],
  [{ sliceFunctionOverrides: { '': { memorySize: 512 } } }, 'sliceFunctionOverrides must name slices'],
])('the pipeline refuses %p', (props, words) => {
  expect(errorOf(() => addPipeline(newStack(), 'Pipeline', props))).toContain(words);
});

test.each([undefined, {}])('%j as the props, as jsii passes them if a Python caller sets none', (props) => {
  expect(errorOf(() => new SlicedInferencePipeline(newStack(), 'Pipeline', props as object))).toBe(
    'a pipeline must have a model, got neither modelPath nor slicedModel: set one of them',
  );
});

test.each<[props: Props]>([
  [{ sliceFunctions: { environment: { then: 'x' } } }],
  [{ sliceFunctionOverrides: { 'slice-00': { memorySize: undefined } } }],
  [{ sliceFunctions: { memorySize: TOKEN, environment: { LEVEL: Lazy.string({ produce: () => 'info' }) } } }],
])('the pipeline accepts %p', (props) => {
  expect(addPipeline(newStack(), 'Pipeline', props).functions).toHaveLength(1);
});

const folder = 'the folder of a sliced model';
const bucket = s3.Bucket.fromBucketName(new Stack(), 'Bucket', 'my-bucket');

test.each<[call: string, make: () => Slicing | SlicedModel, words: string]>([
  ['count(NaN)', () => Slicing.count(NaN), `${count}, got NaN`],
  ['count(2.5)', () => Slicing.count(2.5), `${count}, got 2.5`],
  ['atTensors([])', () => Slicing.atTensors([]), 'must have one tensor or more'],
  ["atTensors([''])", () => Slicing.atTensors(['']), "got '', which the model does not have"],
  ["fromPlan('')", () => Slicing.fromPlan(''), "plan '' must be a readable file, got an empty string"],
  ['a NUL', () => Slicing.fromPlan('a\0b'), "plan 'a\\x00b' must be a readable file, got a path with a NUL"],
  ["fromDirectory('')", () => SlicedModel.fromDirectory(''), `${folder} '' must be on this machine`],
  ['a file', () => SlicedModel.fromDirectory(MLP_PATH), `${folder} must be a folder, got the file`],
  ['an address', () => SlicedModel.fromDirectory('s3://b/slices'), 'got an S3 address: use SlicedModel.from'],
  ['a home', () => SlicedModel.fromDirectory('~/slices'), 'got a path with ~: pass the full path'],
  ['no plan', () => SlicedModel.fromBucket(bucket, 'ocr', ''), "plan '' must be a readable file"],
  ['a remote plan', () => SlicedModel.fromBucket(bucket, 'ocr', 's3://b/plan.json'), 'got an S3 address'],
  [
    's3:// in the prefix',
    () => SlicedModel.fromBucket(bucket, 's3://b/ocr', 'plan.json'),
    'remove s3:// and',
  ],
])('%s is refused', (_, make, words) => {
  const use = (): unknown => {
    const made = make();
    return addPipeline(newStack(), 'Pipeline', made instanceof Slicing ? { slicing: made } : {});
  };
  expect(errorOf(use)).toContain(words);
});

test('an alarm and a metric refuse a token where they need the number', () => {
  const stack = newStack();
  const pipeline = addPipeline(stack, 'Pipeline');
  const maxTime = Duration.seconds(TOKEN);
  expect(errorOf(() => new SlicedInferenceAlarms(stack, 'Alarms', { pipeline, maxTime }))).toContain(known);
  expect(errorOf(() => pipeline.metricSliceErrors(TOKEN))).toContain(
    'slice must be a whole number from 0 to 0',
  );
});
