import { Duration, Lazy, RemovalPolicy, Size } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { SliceFunctionOptions } from '../../../lib';
import { Slicing } from '../../../lib';
import { sliceFileAsset } from '../../../lib/aws/slice-asset';
import { createSliceFunction } from '../../../lib/aws/slice-function';
import { compile } from '../../../lib/compile/compile';
import { assetObject } from '../../../lib/aws/slice-object';
import { stageModel } from '../../../lib/compile/stage';
import { count } from '../../../lib/plan/search/slicers';
import { mlp, saveModel } from '../../support/model-builder';
import { MLP_PATH, errorOf, newStack, pipelineStack } from '../../support/pipeline-stack';

const ASSETS = 's3://cdk-hnb659fds-assets-{AWS::AccountId}-{AWS::Region}/<sha256>';

describe('the functions of a pipeline', () => {
  const { resource, resources, pipeline } = pipelineStack({ slicing: Slicing.count(3) });

  test('are one per slice, in order', () => {
    const paths = ['slice-00', 'slice-01', 'slice-02'].map((slice) => `Pipeline/${slice}/Function`);
    expect(Object.keys(resources('AWS::Lambda::Function'))).toEqual(paths);
    expect(pipeline.functions.map(({ node }) => node.path)).toEqual(paths.map((path) => `Stack/${path}`));
  });

  test('have all that they need to know, and nothing else', () => {
    expect(resource('Pipeline/slice-01/Function')).toEqual({
      Description: 'Slice 2 of 3 of model.onnx',
      Architectures: ['x86_64'],
      Runtime: 'nodejs24.x',
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
      LoggingConfig: { LogGroup: '{Pipeline/slice-01/Logs}' },
    });
  });

  test('log into groups of their own, which forget after a month', () => {
    expect(resource('Pipeline/slice-01/Logs')).toEqual({ RetentionInDays: 30 });
  });
});

test('a slice without weights outside its graph is not told of any', () => {
  const { resource } = pipelineStack({ modelPath: saveModel(mlp(1, 4)) });
  const { Environment } = resource('Pipeline/slice-00/Function') as {
    Environment: { Variables: Record<string, string> };
  };
  expect(Object.keys(Environment.Variables)).toEqual([
    'SLICE_BUCKET',
    'SLICE_INDEX',
    'SLICE_MODEL_SHA256',
    'SLICE_MODEL_URI',
    'SLICE_DEPLOYMENT_DIGEST',
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

test('architecture and runtime are props', () => {
  const { resource } = pipelineStack({
    architecture: lambda.Architecture.ARM_64,
    runtime: lambda.Runtime.NODEJS_22_X,
  });
  expect(resource('Pipeline/slice-00/Function')).toMatchObject({
    Architectures: ['arm64'],
    Runtime: 'nodejs22.x',
  });
});

test('log groups stay when they leave the stack, unless asked otherwise', () => {
  pipelineStack().template.allResources('AWS::Logs::LogGroup', {
    DeletionPolicy: 'RetainExceptOnCreate',
  });
  pipelineStack({ removalPolicy: RemovalPolicy.DESTROY }).template.allResources('AWS::Logs::LogGroup', {
    DeletionPolicy: 'Delete',
  });
});

test('a file name of 255 characters still gives a description that Lambda takes', () => {
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

  test('override the plan for every function', () => {
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

  test('add environment variables', () => {
    expect(functionWith({ environment: { STAGE: 'test' } }).Environment.Variables).toMatchObject({
      STAGE: 'test',
      SLICE_INDEX: '0',
    });
  });

  test('set the threads of all slices by memory', () => {
    expect(functionWith({ memorySize: 4096 }).Environment.Variables.SLICE_THREADS).toBe('3');
  });

  test('take a memory size that is known at deployment only; then the plan sets the threads', () => {
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
  ])('refuse a memory size of %d MB', (memorySize, got) => {
    expect(errorOf(() => functionWith({ memorySize }))).toBe(
      `sliceFunctions.memorySize must be a whole number of MB from 128 to 10240, got ${got}: give one that Lambda has`,
    );
  });

  test("refuse to replace the library's own environment variables", () => {
    expect(errorOf(() => functionWith({ environment: { SLICE_BUCKET: 'mine' } }))).toBe(
      "sliceFunctions.environment must leave the library's own variables alone, got 'SLICE_BUCKET': choose another name",
    );
  });
});

describe('what no Lambda function can hold is refused', () => {
  test('memory', () => {
    const dimensions = { batch: 100_000_000 };
    expect(errorOf(() => pipelineStack({ dimensions, slicing: Slicing.count(1) }))).toBe(
      'slice 0 must fit a Lambda function of 10240 MB, got an estimate of 35264 MB: ' +
        'ask for more slices, or set sliceFunctions.memorySize if you know better',
    );
  });

  test('memory, unless the user knows better', () => {
    const { resource } = pipelineStack({
      dimensions: { batch: 60_000_000 },
      slicing: Slicing.count(1),
      sliceFunctions: { memorySize: 10_240 },
    });
    expect(resource('Pipeline/slice-00/Function').MemorySize).toBe(10_240);
  });

  test('files', () => {
    const stack = newStack();
    const { plan, slices } = stageModel(MLP_PATH, count(1));
    const planned = { ...plan.slices[0], ephemeralStorageMb: 10_241 };
    const create = (): unknown =>
      createSliceFunction(stack, 'slice-00', {
        plan: { ...plan, slices: [planned], deploymentDigest: plan.planDigest },
        slice: 0,
        sliceMetrics: false,
        float16Transport: false,
        files: {
          model: assetObject(sliceFileAsset(stack, 'slice-00-model', slices[0].model, planned.model)),
        },
        bucket: new Bucket(stack, 'Bucket'),
        architecture: lambda.Architecture.X86_64,
        runtime: lambda.Runtime.NODEJS_24_X,
        options: {},
        logs: { retention: RetentionDays.ONE_DAY, removalPolicy: RemovalPolicy.DESTROY },
      });
    expect(errorOf(create)).toBe(
      "the files of slice 0 must fit the 10240 MB of a function's /tmp, got 10241 MB: ask for more slices",
    );
  });
});
