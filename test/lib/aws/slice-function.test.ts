import { Duration, Lazy, RemovalPolicy, Size } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { type SliceFunctionOptions, Slicing } from '../../../lib';
import { sliceFileAsset } from '../../../lib/aws/slice-asset';
import { createSliceFunction } from '../../../lib/aws/slice-function';
import { compile } from '../../../lib/compile/compile';
import { assetObject } from '../../../lib/aws/slice-object';
import { stageModel } from '../../../lib/compile/stage';
import { count } from '../../../lib/plan/slicers';
import { mlp, saveModel } from '../../support/model-builder';
import { MLP_PATH, errorOf, newStack, pipelineStack } from '../../support/pipeline-stack';

const ASSETS = 's3://cdk-hnb659fds-assets-{AWS::AccountId}-{AWS::Region}/<sha256>';

describe('the functions of a pipeline', () => {
  const { resource, resources, pipeline } = pipelineStack({ slicing: Slicing.count(3) });

  test('are one per slice, in the order of the slices', () => {
    const paths = ['slice-00', 'slice-01', 'slice-02'].map((slice) => `Pipeline/${slice}/Function`);
    expect(Object.keys(resources('AWS::Lambda::Function'))).toEqual(paths);
    expect(pipeline.functions.map(({ node }) => node.path)).toEqual(paths.map((path) => `Stack/${path}`));
  });

  test('have exactly these properties', () => {
    expect(resource('Pipeline/slice-01/Function')).toEqual({
      Description: 'Slice 2 of 3 of model.onnx',
      Architectures: ['x86_64'],
      Runtime: 'nodejs24.x',
      TracingConfig: { Mode: 'Active' },
      Handler: 'index.handler',
      Code: {
        S3Bucket: 'cdk-hnb659fds-assets-{AWS::AccountId}-{AWS::Region}',
        S3Key: '<sha256>.zip',
      },
      MemorySize: 512,
      EphemeralStorage: { Size: 512 },
      Timeout: 61,
      Environment: {
        Variables: {
          SLICE_INDEX: '1',
          SLICE_MODEL_URI: `${ASSETS}.onnx`,
          SLICE_MODEL_SHA256: '<sha256>',
          SLICE_WEIGHTS_URI: `${ASSETS}.weights`,
          SLICE_WEIGHTS_SHA256: '<sha256>',
          SLICE_WEIGHTS_FILE: 'slice-01.weights',
          SLICE_BUCKET: '{Pipeline/Bucket}',
          SLICE_DEPLOYMENT_DIGEST: '<sha256>',
          SLICE_THREADS: '1',
        },
      },
      Role: '{Pipeline/slice-01/Role.Arn}',
      LoggingConfig: { LogGroup: '{Pipeline/SliceLogs}' },
    });
  });

  test('share a log group with a retention of a month', () => {
    expect(resource('Pipeline/SliceLogs')).toEqual({ RetentionInDays: 30 });
  });
});

test('a slice without a weights file has no variables for weights', () => {
  const { resource } = pipelineStack({ modelPath: saveModel(mlp(1, 4)) });
  const { Environment } = resource('Pipeline/slice-00/Function') as {
    Environment: { Variables: Record<string, string> };
  };
  expect(Object.keys(Environment.Variables)).toEqual([
    'SLICE_BUCKET',
    'SLICE_DEPLOYMENT_DIGEST',
    'SLICE_INDEX',
    'SLICE_MODEL_SHA256',
    'SLICE_MODEL_URI',
    'SLICE_THREADS',
  ]);
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

test('architecture and runtime set those of the functions', () => {
  const { resource } = pipelineStack({
    architecture: lambda.Architecture.ARM_64,
    runtime: lambda.Runtime.NODEJS_22_X,
  });
  expect(resource('Pipeline/slice-00/Function')).toMatchObject({
    Architectures: ['arm64'],
    Runtime: 'nodejs22.x',
  });
});

test('log groups are retained by default, and removalPolicy changes that', () => {
  pipelineStack().template.allResources('AWS::Logs::LogGroup', {
    DeletionPolicy: 'RetainExceptOnCreate',
  });
  pipelineStack({ removalPolicy: RemovalPolicy.DESTROY }).template.allResources('AWS::Logs::LogGroup', {
    DeletionPolicy: 'Delete',
  });
});

test('a file name of 255 characters gives a description of 256 characters', () => {
  const { resource } = pipelineStack({ modelPath: saveModel(mlp(1), `${'m'.repeat(250)}.onnx`) });
  const { Description } = resource('Pipeline/slice-00/Function');
  expect(Description).toBe(`Slice 1 of 1 of ${'m'.repeat(240)}`);
});

describe('sliceFunctions', () => {
  const functionWith = (sliceFunctions: SliceFunctionOptions): ReturnType<typeof functionsWith>[0] =>
    functionsWith(sliceFunctions)[0];

  function functionsWith(sliceFunctions: SliceFunctionOptions): readonly {
    readonly Environment: { readonly Variables: Readonly<Record<string, string>> };
  }[] {
    const { resources } = pipelineStack({ sliceFunctions, slicing: Slicing.count(3) });
    return Object.values(resources('AWS::Lambda::Function')) as never;
  }

  test('overrides the plan for every function', () => {
    const functions = functionsWith({
      memorySize: 2048,
      timeout: Duration.minutes(3),
      ephemeralStorageSize: Size.gibibytes(2),
    });
    expect(functions).toHaveLength(3);
    for (const fn of functions) {
      expect(fn).toMatchObject({ MemorySize: 2048, Timeout: 180, EphemeralStorage: { Size: 2048 } });
    }
  });

  test('adds environment variables', () => {
    expect(functionWith({ environment: { STAGE: 'test' } }).Environment.Variables).toMatchObject({
      STAGE: 'test',
      SLICE_INDEX: '0',
    });
  });

  test('determines the thread count of all slices by the memory size', () => {
    expect(functionWith({ memorySize: 4096 }).Environment.Variables.SLICE_THREADS).toBe('3');
  });

  test('accepts a memory size that is known only at deployment, and then uses the thread count of the plan', () => {
    const memorySize = Lazy.number({ produce: () => 4096 });
    expect(functionWith({ memorySize })).toMatchObject({
      MemorySize: 4096,
      Environment: { Variables: { SLICE_THREADS: '1' } },
    });
  });

  test.each([
    [127, '127'],
    [10_241, '10241'],
    [512.5, '512.5'],
  ])('refuses a memory size of %d MB', (memorySize, got) => {
    expect(errorOf(() => functionWith({ memorySize }))).toBe(
      `sliceFunctions.memorySize must be a whole number of MB from 128 to 10240, got ${got}: use a value in this range`,
    );
  });

  test('refuses variables that the library uses', () => {
    expect(errorOf(() => functionWith({ environment: { SLICE_BUCKET: 'mine' } }))).toBe(
      "sliceFunctions.environment must not set variables that the library uses, got 'SLICE_BUCKET': choose another name",
    );
  });
});

describe('a slice that is too large for Lambda', () => {
  test('is refused for its memory', () => {
    const dimensions = { batch: 100_000_000 };
    expect(errorOf(() => pipelineStack({ dimensions, slicing: Slicing.count(1) }))).toBe(
      'slice 0 must fit a Lambda function of 10240 MB, got an estimate of 48960 MB: ' +
        'use more slices, or set sliceFunctions.memorySize if the estimate is too high',
    );
  });

  test('is accepted if the user sets memorySize', () => {
    const { resource } = pipelineStack({
      dimensions: { batch: 60_000_000 },
      slicing: Slicing.count(1),
      sliceFunctions: { memorySize: 10_240 },
    });
    expect(resource('Pipeline/slice-00/Function').MemorySize).toBe(10_240);
  });

  test('is refused for its files', () => {
    const stack = newStack();
    const { plan, slices } = stageModel(MLP_PATH, count(1));
    const planned = { ...plan.slices[0], ephemeralStorageMb: 10_241 };
    const create = (): unknown =>
      createSliceFunction(stack, 'slice-00', {
        plan: { ...plan, slices: [planned], deploymentDigest: plan.planDigest },
        slice: 0,
        sliceMetrics: false,
        float16Transport: false,
        tracing: false,
        files: {
          model: assetObject(sliceFileAsset(stack, 'slice-00-model', slices[0].model, planned.model)),
        },
        bucket: new Bucket(stack, 'Bucket'),
        architecture: lambda.Architecture.X86_64,
        runtime: lambda.Runtime.NODEJS_24_X,
        options: {},
        logGroup: new LogGroup(stack, 'Logs'),
      });
    expect(errorOf(create)).toBe(
      "the files of slice 0 must fit the 10240 MB of a function's /tmp, got 10241 MB: use more slices",
    );
  });
});

test('tracing: false leaves traces off, and grants no permission for them', () => {
  const { resource, template } = pipelineStack({ tracing: false });
  expect(resource('Pipeline/slice-00/Function')).not.toHaveProperty('TracingConfig');
  expect(JSON.stringify(template)).not.toContain('xray:');
});
