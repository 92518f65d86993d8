import { readEnvironment } from '../../../lambda/slice/environment';

const MODEL_SHA256 = '01'.repeat(32);
const WEIGHTS_SHA256 = 'ab'.repeat(32);

const VARIABLES = {
  SLICE_INDEX: '12',
  SLICE_MODEL_URI: 's3://models/some/folder/slice-12.onnx',
  SLICE_MODEL_SHA256: MODEL_SHA256,
  SLICE_WEIGHTS_URI: 's3://models/slice-12.weights',
  SLICE_WEIGHTS_SHA256: WEIGHTS_SHA256,
  SLICE_WEIGHTS_FILE: 'slice-12.weights',
  SLICE_BUCKET: 'tensors',
  SLICE_DEPLOYMENT_DIGEST: 'deployment',
  SLICE_THREADS: '16',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
};

it('readEnvironment reads that weights are not prepacked', () => {
  expect(readEnvironment({ ...VARIABLES, SLICE_PREPACKING: 'off' }).prepacking).toBe(false);
});

it('readEnvironment reads every variable', () => {
  expect(readEnvironment(VARIABLES)).toEqual({
    slice: 12,
    files: {
      model: { object: { bucket: 'models', key: 'some/folder/slice-12.onnx' }, sha256: MODEL_SHA256 },
      weights: {
        object: { bucket: 'models', key: 'slice-12.weights' },
        sha256: WEIGHTS_SHA256,
        fileName: 'slice-12.weights',
      },
    },
    bucket: 'tensors',
    runsBucket: 'tensors',
    deploymentDigest: 'deployment',
    threads: 16,
    prepacking: true,
    graphOptimization: 'disabled',
    takesCalls: false,
    functionName: 'function',
    handlers: {},
    memoryBytes: 512 * 1024 * 1024,
  });
});

it('readEnvironment reads the variables of a function that callers invoke', () => {
  expect(
    readEnvironment({
      ...VARIABLES,
      AWS_LAMBDA_FUNCTION_NAME: 'classify',
      SLICE_DIRECT_CALLS: 'on',
      SLICE_GRAPH_OPTIMIZATION: 'all',
      SLICE_POSTPROCESS: 'postprocess/lib/index.mjs#after',
    }),
  ).toMatchObject({
    ...{ takesCalls: true, graphOptimization: 'all', functionName: 'classify' },
    handlers: { postprocess: { file: 'postprocess/lib/index.mjs', name: 'after' } },
  });
});

it.each<[string, readonly (string | undefined)[], string]>([
  ['SLICE_BUCKET', ['', undefined], 'set'],
  ['SLICE_DEPLOYMENT_DIGEST', [''], 'set'],
  ['SLICE_INDEX', ['-1', '1x', '1.5', '100000'], 'a whole number from 0 up'],
  ['SLICE_THREADS', ['0', 'x1'], 'a whole number from 1 up'],
  ['SLICE_MODEL_URI', ['models/s.onnx', 's3://m/', 's3:///key'], 's3://bucket/key'],
  ['SLICE_MODEL_SHA256', [`${MODEL_SHA256}0`, `x${MODEL_SHA256}`], '64 lower-case hexadecimal digits'],
  ['SLICE_WEIGHTS_FILE', ['../s.weights', '/tmp/s', 'a/b', '.', '..'], 'a file name without folders'],
])('readEnvironment refuses %s = %j', (name, values, expected) => {
  for (const value of values) {
    const message = `the environment variable ${name} must be ${expected}, got ${value === '' ? 'nothing' : (value ?? 'nothing')}: deploy the stack again`;
    expect(() => readEnvironment({ ...VARIABLES, [name]: value })).toThrow(
      expect.objectContaining({ name: 'SliceFailed', message }) as Error,
    );
  }
});
