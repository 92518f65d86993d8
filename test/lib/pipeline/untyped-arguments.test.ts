/** Arguments as callers in JavaScript can pass them to factories and methods: of another type, or none. */
import * as path from 'node:path';
import { Duration, Size, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { SlicedModel, Slicing } from '../../../lib';
import { MLP_PATH, addPipeline, errorOf, newStack } from '../../support/pipeline-stack';
import { temporaryFolder } from '../../support/model-builder';

/** The methods as JavaScript sees them. */
type Untyped = Readonly<Record<string, (...args: unknown[]) => unknown>>;

const slicing = Slicing as unknown as Untyped;
const slicedModel = SlicedModel as unknown as Untyped;

function refusedSlicing(value: Slicing): string {
  return errorOf(() => addPipeline(newStack(), 'Pipeline', { slicing: value }));
}

describe('Slicing', () => {
  const names = 'the names of tensors must be a list of names';
  const options = 'the options of Slicing.automatic must';

  test.each<[factory: string, argument: unknown, message: string]>([
    ['atTensors', 'h1', `${names}, got the string 'h1': pass ['h1'], for example`],
    ['atTensors', undefined, `${names}, got undefined: pass ['conv5_out'], for example`],
    ['atTensors', null, `${names}, got null: pass ['conv5_out'], for example`],
    ['atTensors', ['h1', 1], 'name 1 of the tensors must be a string, got 1: pass a string'],
    ['count', '4', "the number of slices must be a number, got the string '4': pass 4, without quotes"],
    ['count', undefined, 'the number of slices must be a number, got undefined: pass a number'],
    ['count', 1n, 'the number of slices must be a number, got the bigint 1n: pass 1, without n'],
    ['count', 'four', "the number of slices must be a number, got the string 'four': pass a number"],
    [
      'count',
      2.5,
      'the number of slices must be a whole number of 1 or more, got 2.5: pass a positive whole number',
    ],
    ['maxSliceSize', 100, 'the size of a slice must be a Size, got 100: use Size.mebibytes(100)'],
    [
      'maxSliceSize',
      '64MB',
      "the size of a slice must be a Size, got the string '64MB': use Size.mebibytes(64)",
    ],
    [
      'maxSliceSize',
      null,
      'the size of a slice must be a Size, got null: use Size.mebibytes(1024), for example',
    ],
    [
      'maxSliceSize',
      { toBytes: 1 },
      'the size of a slice must be a Size, got an object: use Size.mebibytes(1024), for example',
    ],
    ['automatic', 3008, `${options} be an object, got 3008: pass { maxMemorySize: 3008 }, for example`],
    ['automatic', null, `${options} be an object, got null: pass { maxMemorySize: 3008 }, for example`],
    [
      'automatic',
      { maxMemorySize: '3008' },
      "maxMemorySize must be a number, got the string '3008': pass 3008, without quotes",
    ],
    ['automatic', { maxMemorySize: null }, 'maxMemorySize must have a value, got null: leave it out'],
    [
      'automatic',
      { max_memory_size: 512 },
      `${options} have props that exist, got 'max_memory_size': use maxMemorySize`,
    ],
    [
      'automatic',
      { memory: 512 },
      `${options} have props that exist, got 'memory': use profile, prices, environment, requestsPerHour, minimize, maxLatency, latencyPercentile, maxCostPerMillion, maxMemorySize, temperature or remove it`,
    ],
    [
      'fromPlan',
      undefined,
      'the path of a plan must be a string, got undefined: pass the path of a plan.json on this machine',
    ],
    [
      'fromPlan',
      {},
      'the path of a plan must be a string, got an empty object: pass the path of a plan.json on this machine',
    ],
  ])('.%s refuses %p', (factory, argument, message) => {
    expect(errorOf(() => slicing[factory](argument))).toBe(message);
  });

  test('takes a plan from no path with a NUL character', () => {
    expect(refusedSlicing(Slicing.fromPlan('a\0b'))).toBe(
      "plan 'a\\x00b' must be a readable file, got a path with a NUL character: remove the character",
    );
  });

  test('created by its constructor is refused', () => {
    const create = Slicing as unknown as new () => Slicing;
    expect(refusedSlicing(new create())).toBe(
      'slicing must be an instance of Slicing, got an object of type Slicing: use Slicing.count(4), for example',
    );
  });

  test('accepts options that are absent, empty or undefined', () => {
    for (const options of [[], [undefined], [{}], [{ maxMemorySize: undefined, other: undefined }]]) {
      expect(slicing.automatic(...options)).toBeInstanceOf(Slicing);
    }
    expect(Slicing.maxSliceSize(Size.mebibytes(1))).toBeInstanceOf(Slicing);
  });
});

describe('SlicedModel', () => {
  const written = 'pass the folder that `sliced-inference slice --out` wrote';

  test.each<[folder: unknown, message: string]>([
    [undefined, `the folder of a sliced model must be a string, got undefined: ${written}`],
    [null, `the folder of a sliced model must be a string, got null: ${written}`],
    [5, `the folder of a sliced model must be a string, got 5: ${written}`],
    [MLP_PATH, `the folder of a sliced model must be a folder, got the file '${MLP_PATH}': ${written}`],
    [
      '',
      "the folder of a sliced model '' must be on this machine, got an empty string: pass its path on this machine",
    ],
    [
      's3://bucket/slices',
      "the folder of a sliced model 's3://bucket/slices' must be on this machine, got an S3 address: use SlicedModel.fromBucket",
    ],
    [
      'a\0b',
      "the folder of a sliced model 'a\\x00b' must be on this machine, got a path with a NUL character: remove the character",
    ],
    [
      '~/slices',
      "the folder of a sliced model '~/slices' must be on this machine, got a path with ~: " +
        'pass the full path, because only a shell expands ~ (in code, use os.homedir() or Path.home())',
    ],
  ])('.fromDirectory refuses %j', (folder, message) => {
    expect(errorOf(() => slicedModel.fromDirectory(folder))).toBe(message);
  });

  const bucket = s3.Bucket.fromBucketName(new Stack(), 'Bucket', 'my-bucket');
  const plan = path.join(temporaryFolder(), 'plan.json');

  test.each<[name: string, args: unknown[], message: string]>([
    [
      "a bucket's name",
      ['my-bucket', 'ocr', plan],
      "the bucket of a sliced model must be a bucket (s3.IBucket), got the string 'my-bucket': " +
        "import it with s3.Bucket.fromBucketName(this, 'MyBucket', name)",
    ],
    [
      'an object with an ARN',
      [{ bucketArn: 1 }, 'ocr', plan],
      'the bucket of a sliced model must be a bucket (s3.IBucket), got an object: ' +
        "import it with s3.Bucket.fromBucketName(this, 'MyBucket', name)",
    ],
    [
      'no prefix',
      [bucket, undefined, plan],
      'the prefix of a sliced model must be a string, got undefined: pass a string',
    ],
    [
      'a number as prefix',
      [bucket, 5, plan],
      'the prefix of a sliced model must be a string, got 5: pass a string',
    ],
    [
      'an address as prefix',
      [bucket, 's3://my-bucket/ocr', plan],
      "the prefix of a sliced model must be the part of keys before the file, got 's3://my-bucket/ocr': " +
        "remove s3:// and the bucket's name",
    ],
    [
      'no plan',
      [bucket, 'ocr', undefined],
      'the path of a plan must be a string, got undefined: pass the path of a plan.json on this machine',
    ],
    [
      'a plan in S3',
      [bucket, 'ocr', 's3://my-bucket/ocr/plan.json'],
      "plan 's3://my-bucket/ocr/plan.json' must be a readable file, got an S3 address: " +
        'download it and pass the path of the copy',
    ],
  ])('.fromBucket refuses %s', (_, args, message) => {
    expect(errorOf(() => slicedModel.fromBucket(...args))).toBe(message);
  });
});

test.each<[method: string, args: unknown[], message: string]>([
  [
    'grantInvoke',
    ['arn:aws'],
    "the grantee of grantInvoke must be a principal (iam.IGrantable), got the string 'arn:aws': " +
      'pass a role, a user or a function',
  ],
  [
    'grantReadOutputs',
    [undefined],
    'the grantee of grantReadOutputs must be a principal (iam.IGrantable), got undefined: ' +
      'pass a role, a user or a function',
  ],
  [
    'grantWriteInputs',
    [undefined],
    'the grantee of grantWriteInputs must be a principal (iam.IGrantable), got undefined: ' +
      'pass a role, a user or a function',
  ],
  [
    'grantInvoke',
    [{ grantPrincipal: 1 }],
    'the grantee of grantInvoke must be a principal (iam.IGrantable), got an object: ' +
      'pass a role, a user or a function',
  ],
  [
    'asFragment',
    [{ node: 1 }],
    'the scope of a fragment must be a construct, got an object: pass your stack, for example',
  ],
  [
    'asFragment',
    ['Ocr'],
    "the scope of a fragment must be a construct, got the string 'Ocr': pass your stack, for example",
  ],
  ['asFragment', [new Stack()], 'the id of a fragment must be a string, got undefined: pass a string'],
  [
    'metricSliceErrors',
    ['0'],
    "slice must be a whole number from 0 to 0, got the string '0': pass the index of one of the pipeline's slices",
  ],
  [
    'metricSlice',
    [0, 'coldstarts'],
    'metric must be one of coldStarts, loadMs, readMs, runMs, writeMs, bytesRead, bytesWritten, peakMemoryBytes, ' +
      "got the string 'coldstarts': use SliceMetric.COLD_STARTS",
  ],
  ...[
    'metricStarted',
    'metricSucceeded',
    'metricFailed',
    'metricTimedOut',
    'metricTime',
    'metricSliceInvocations',
    'metricSliceDuration',
    'metricSliceErrors',
    'metricSliceThrottles',
  ].flatMap((method): [string, unknown[], string][] => {
    const slice = method.startsWith('metricSlice') ? [0] : [];
    const options = `the options of ${method} must`;
    return [
      [
        method,
        [...slice, 'x'],
        `${options} be an object, got the string 'x': pass { statistic: 'p99' }, for example`,
      ],
      [method, [...slice, { perio: 1 }], `${options} have props that exist, got 'perio': use period`],
    ];
  }),
  [
    'metricSlice',
    [0, 'runMs', new Map()],
    "the options of metricSlice must be an object, got an object of type Map: pass { statistic: 'p99' }, for example",
  ],
  [
    'metricTime',
    [{ period: '5 min' }],
    "period must be a Duration, got the string '5 min': use Duration.minutes(5)",
  ],
  [
    'metricTime',
    [{ unit: 'seconds' }],
    expect.stringMatching(
      /^unit must be one of Seconds, .*, got the string 'seconds': use cloudwatch\.Unit\.SECONDS$/,
    ) as string,
  ],
  [
    'metricTime',
    [{ dimensionsMap: [] }],
    "dimensionsMap must be an object of names and values, got an empty list: pass { Stage: 'beta' }, for example",
  ],
])('%s of a pipeline refuses %j', (method, args, message) => {
  const pipeline = addPipeline(newStack(), 'Pipeline', { sliceMetrics: true });
  expect(errorOf(() => (pipeline as unknown as Untyped)[method](...args))).toEqual(message);
});

test('a metric leaves names that a newer CDK may know to CDK', () => {
  const pipeline = addPipeline(newStack(), 'Pipeline');
  const options = { period: Duration.minutes(1), aggregation: 'x', label: undefined };
  expect(pipeline.metricStarted(options).period.toSeconds()).toBe(60);
});
