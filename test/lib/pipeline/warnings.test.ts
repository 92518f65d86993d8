/** What a pipeline warns of, says and refuses, because of quotas, sizes, estimates and its surroundings. */
import { Duration, Lazy, Size, type Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import {
  Consolidation,
  SlicedModel,
  Slicing,
  TensorStore,
  WarmUp,
  type SlicedInferencePipelineProps,
} from '../../../lib';
import { prepareRequest } from '../../../client/request';
import { compile } from '../../../lib/compile/compile';
import type { CallSeconds, SlicePlan } from '../../../lib/plan/file/plan';
import { count } from '../../../lib/plan/slicers';
import { fileWith } from '../../support/changed-json';
import { graphOf } from '../../support/graph-text';
import { HEAVY_DIMENSIONS, heavyModel } from '../../support/heavy-model';
import { COLUMNS, INNER, PRODUCT, WEIGHT, int8s, integerModel } from '../../support/integer-models';
import { FLOAT, INT64, floats, mlp, node, saveModel, value } from '../../support/model-builder';
import { MLP_PATH, addPipeline, errorOf, newStack } from '../../support/pipeline-stack';
import { sparseModel } from '../../support/sparse-model';
import { writtenPlan } from '../../support/written-plan';

type Props = Partial<SlicedInferencePipelineProps>;
type Build = Props | ((stack: Stack) => Props);

const PREFIX = 'cdk-sliced-inference:';

/** The messages of a stack with one pipeline. `after` may add constructs to the stack. */
function messages(
  build: Build,
  level: 'findWarning' | 'findInfo' = 'findWarning',
  after: (stack: Stack) => void = () => undefined,
): string[] {
  const stack = newStack();
  addPipeline(stack, 'Pipeline', typeof build === 'function' ? build(stack) : build);
  after(stack);
  return Annotations.fromStack(stack)
    [level]('*', Match.anyValue())
    .map(({ entry }) => entry.data as string);
}

const three = { slicing: Slicing.count(3) };
const standard = { stateMachineType: StateMachineType.STANDARD };
const always = { slicing: Slicing.count(4), consolidation: Consolidation.ALWAYS };
const megabytes = (memorySize: number) => ({ sliceFunctions: { memorySize } });
const environment = (bytes: number) => ({ sliceFunctions: { environment: { LARGE: 'x'.repeat(bytes) } } });
const rows = (batch: number) => ({ slicing: Slicing.count(1), dimensions: { batch }, ...megabytes(10_240) });
const twelve = { modelPath: saveModel(mlp(12)), slicing: Slicing.count(12), dimensions: { batch: 1 } };
const { plan } = writtenPlan(compile(MLP_PATH, count(3), { dimensions: { batch: 1 } }));

function fromPlan(changed: Partial<SlicePlan>, props: Props = {}): Build {
  const file = fileWith(JSON.stringify({ ...plan, ...changed }));
  return (stack) => {
    const bucket = s3.Bucket.fromBucketName(stack, 'Models', 'my-models');
    const slicedModel = SlicedModel.fromBucket(bucket, 'large', file);
    return { modelPath: undefined, dimensions: undefined, slicedModel, ...props };
  };
}

/** Three slices of 6 GB each. At 40 MB/s each takes 150 seconds to load. */
function large(props: Props, ephemeralStorageMb = 6500): Build {
  const slices = plan.slices.map(({ model, weights, ...slice }) => ({
    ...{ ...slice, model, ephemeralStorageMb, timeoutSeconds: 510, coldSeconds: undefined },
    ...(weights && { weights: { ...weights, bytes: 6_000_000_000 - model.bytes } }),
  }));
  return fromPlan({ slices }, props);
}

/** The second of three slices takes so long. */
function slow(coldSeconds: CallSeconds, props: Props = {}): Build {
  const slices = plan.slices.map((slice, index) =>
    index === 1 ? { ...slice, coldSeconds, timeoutSeconds: 900 } : slice,
  );
  return fromPlan({ slices }, { ...standard, ...props });
}

const timeout = (seconds: number) => ({ sliceFunctions: { timeout: Duration.seconds(seconds) } });
/** Four slices, each of 100 products that take at least 1.8 s. */
const heavy = { modelPath: heavyModel(400), dimensions: HEAVY_DIMENSIONS, slicing: Slicing.count(4) };

const endpoint = (service: ec2.IGatewayVpcEndpointService) => (vpc: ec2.Vpc) => {
  vpc.addGatewayEndpoint(`Endpoint${vpc.node.children.length}`, { service });
};
const { S3, S3_EXPRESS, DYNAMODB } = ec2.GatewayVpcEndpointAwsService;

function isolated(props: Props, ...prepare: ((vpc: ec2.Vpc) => void)[]): Build {
  return (stack) => {
    const subnetConfiguration = [{ name: 'own', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }];
    const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 0, subnetConfiguration });
    for (const step of prepare) step(vpc);
    return { vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED }, ...props };
  };
}

const zone = { tensorStore: TensorStore.s3ExpressOneZone('use1-az5') };

/** Its sizes depend on data. */
const nonZero = graphOf('NonZero x > places; Identity places > y', { output: [value('y', INT64)] });

/** Adds a table of so many positions to rows whose number `Reshape` computes. */
const positions = (count_: number): string =>
  saveModel({
    graph: graphOf('Shape x > shape; Abs shape > computed; Reshape x computed > rows; Add rows table > y', {
      initializer: [floats('table', [count_, 8])],
      input: [value('x', FLOAT, ['height', 8])],
    }),
  });
const refused = { modelPath: positions(4), slicing: Slicing.count(1), dimensions: { height: 5 } };

const computedWeight = {
  modelPath: saveModel(
    integerModel([node('Transpose', ['wt'], ['w']), PRODUCT], [int8s('wt', [COLUMNS, INNER])]),
  ),
  dimensions: { rows: 1 },
};

it('a pipeline warns of no integer products if its weights were rewritten, or if its functions are for arm64', () => {
  const warnings = (build: Build) => messages(build).filter((message) => message.includes('8-bit'));
  const rewritten = { modelPath: saveModel(integerModel([PRODUCT], [WEIGHT])), slicing: Slicing.count(1) };
  expect(warnings(rewritten)).toEqual([]);
  expect(warnings({ ...computedWeight, architecture: Architecture.ARM_64 })).toEqual([]);
});

const tmp = { sliceFunctions: { ephemeralStorageSize: Size.mebibytes(512) } };
const newAccount = 'MB of memory, and new AWS accounts are limited to 3008 MB (https:';
const cold = 'a run whose functions are all cold takes up to';
const slowest = 'where functions are slowest';
const ends = `${slowest}, and the state machine times out after`;

test.each<[id: string, words: string | RegExp, build: Build]>([
  ['assumedDimensions', 'planned with assumed sizes, batch=1: set', { dimensions: {} }],
  ['dataSizes', 'a run on generated inputs (x float32[', { modelPath: saveModel({ graph: nonZero }) }],
  ['boundedTensors', "with estimates for 'places': compare", fromPlan({ boundedTensors: ['places'] })],
  ['littleMemory', 'slice-00 has 256 MB of memory, and the plan estimates that it needs 512', megabytes(256)],
  ['otherOnnxRuntime', 'was sliced for ONNX Runtime 1.2.3 and will run', fromPlan({ onnxRuntime: '1.2.3' })],
  [
    'inexactIntegers',
    "may compute 8-bit products wrongly (node 'MatMulInteger_y' (MatMulInteger) has a weight that is computed): set the architecture to arm64, let graph optimization (basic) fold constants, or quantize",
    { ...computedWeight, slicing: Slicing.count(1) },
  ],
  [
    'inexactIntegers',
    'multiply 3 of the 8-bit weights of these slices wrongly, because the slices are for arm64: slice the model for x86_64',
    fromPlan({ int8Weights: { count: 3, isRewritten: false, inexact: [] } }),
  ],
  ['newAccountMemory', `the largest slice function has 4096 ${newAccount}`, megabytes(4096)],
  [
    'newAccountMemory',
    /the whole model has 5000 MB .* or set Consolidation\.NEVER/,
    { ...always, sliceFunctionOverrides: { whole: { memorySize: 5000 } } },
  ],
  ['newAccountConcurrency', 'a run calls all 12 functions at once to warm them up', twelve],
  [
    'expressQuota',
    `${cold} 450 seconds ${ends} 300 seconds: set stateMachineType to STANDARD (https:`,
    large({ warmUp: WarmUp.NEVER }),
  ],
  [
    'littleTime',
    `${cold} 150 seconds ${ends} 149 seconds: raise its timeout, or use more memory or more slices`,
    large({ timeout: Duration.seconds(149) }),
  ],
  // Without the products of the first two slices, which are those of 376 s.
  [
    'expressQuota',
    /takes up to (4[0-9]{2}|[5-9][0-9]{2}|\d{4}) seconds .* times out after 300 seconds/,
    heavy,
  ],
  [
    'littleTime',
    /takes up to \d seconds .* times out after 1 seconds/,
    { ...three, timeout: Duration.seconds(1) },
  ],
  [
    'longCall',
    `a cold call of slice-01 takes about 900 seconds, and 901 seconds ${slowest}, and Lambda ends it after 900 seconds: use more slices, more memory or smaller requests, or run`,
    slow({ planned: 900, slowest: 901 }),
  ],
  [
    'shortTimeout',
    `the function of slice-01 times out after 12 seconds, and a cold call takes about 10 seconds, and 13 seconds ${slowest}: raise its timeout`,
    slow({ planned: 10, slowest: 13 }, timeout(12)),
  ],
  ['noS3Endpoint', 'this app has none for the VPC: call vpc.addGatewayEndpoint', isolated({})],
  ['noS3Endpoint', 'reach S3 only through', isolated({}, endpoint(DYNAMODB))],
  ['noS3ExpressEndpoint', 'reach S3 Express One Zone only through', isolated(zone, endpoint(S3))],
  [
    'uselessSlices',
    'slice 1 has at most 1 % of the weights and of the work, and each run still pays for the call and for 32 KB of tensors: use 1 slice',
    { modelPath: sparseModel(1, 4096), slicing: Slicing.count(2) },
  ],
  ['refusedDimensions', 'ONNX Runtime refuses the model with height=5, so most sizes are estimates', refused],
])('the warning %s: %s', (id, words, build) => {
  const found = messages(build).filter((message) => message.endsWith(`[ack: ${PREFIX}${id}]`));
  expect(found).toEqual([
    typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
  ]);
});

test.each<[ids: string, build: Build]>([
  ['', three],
  ['', { dimensions: { batch: 8 }, ...megabytes(512) }],
  ['', megabytes(Lazy.number({ produce: () => 256 }))],
  ['', large({ ...standard, warmUp: WarmUp.NEVER })],
  ['', large({ timeout: Duration.seconds(150) })],
  ['', slow({ planned: 10, slowest: 13 }, timeout(13))],
  ['', slow({ planned: 720, slowest: 900 })],
  // Then the functions are faster than planned.
  ['', slow({ planned: 1000, slowest: 1250 }, megabytes(2048))],
  ['', isolated({}, endpoint(S3))],
  ['', isolated(zone, endpoint(S3), endpoint(S3_EXPRESS))],
  ['assumedDimensions littleMemory', { dimensions: {}, ...megabytes(256) }],
])('no other warnings than %j: %#', (ids, build) => {
  const found = messages(build).map((message) => /\[ack: .*:(\w+)\]$/.exec(message)?.[1]);
  expect(found.join(' ')).toBe(ids);
});

test('an endpoint may be added after the pipeline', () => {
  const addEndpoint = (stack: Stack): void => {
    const vpc = stack.node.findChild('Vpc');
    if (vpc instanceof ec2.Vpc)
      vpc.addInterfaceEndpoint('S3', { service: ec2.InterfaceVpcEndpointAwsService.S3 });
  };
  expect(messages(isolated({}), 'findWarning', addEndpoint)).toEqual([]);
});

test('warnings come again when the plan comes from the cache', () => {
  for (let time = 0; time < 2; time++)
    expect(messages(refused)).toContainEqual(expect.stringContaining('refuses the model with height=5'));
});

const oneSlice =
  /^Slicing\.automatic makes one slice: one function \(512 MB\) is cheaper than one slice behind a .*:oneSlice\]$/;
const oneFunction =
  /^one function \(512 MB\) is cheaper than 4 slices .*\. It is also faster warm, .*, and cold, .*:oneFunction\]$/;

test.each<[infos: RegExp[], build: Props]>([
  [[oneSlice], {}],
  [[oneFunction], { slicing: Slicing.count(4) }],
])('a pipeline says %j', (infos, build) => {
  expect(messages(build, 'findInfo')).toEqual(infos.map((words) => expect.stringMatching(words) as unknown));
});

test('large requests are named when the client puts them into S3', () => {
  const batches = [3000, 3056, 3057, 3058, 3059, 3060, 4000];
  const uploads = batches.map((batch) => {
    const x = { dtype: 'float32', shape: [batch, 16], bytes: new Uint8Array(batch * 64) } as const;
    return prepareRequest(new Map([['x', x]]), 'auto').upload !== undefined;
  });
  expect(new Set(uploads).size).toBe(2);
  const named = (build: Build): boolean =>
    messages(build, 'findInfo').some((info) =>
      /^a request of the planned sizes has [\d,]+ bytes as JSON, and at most 261,120 .*:largeRequest\]$/.test(
        info,
      ),
    );
  expect(batches.map((batch) => named({ ...three, dimensions: { batch } }))).toEqual(uploads);
});

test.each<[words: string | RegExp, build: Build]>([
  [/must have at most 5368709120 bytes in one object \(.*\), got 5376000000: /, rows(84_000_000)],
  [
    /^Stack\/Pipeline: the environment of a slice function must have at most 4096 bytes \(.*\), got \d+:/,
    environment(4000),
  ],
  [
    /^Stack\/Pipeline: cold calls of slices must end within the 900 seconds of a Lambda function \(.*\), got an estimate of 901 seconds: use more slices, more memory .* Fargate$/,
    slow({ planned: 901, slowest: 1200 }),
  ],
  [/must hold its files of 6000000000 bytes, got 536870912 bytes: raise its .* to 6500 MB$/, large(tmp)],
  [
    /^Stack\/Pipeline: the files of slice 0 must fit the 10240 MB of a function's \/tmp, got 10241 MB: use/,
    large({}, 10_241),
  ],
])('a quota is exceeded: %s', (words, build) => {
  expect(errorOf(() => messages(build))).toMatch(words);
});
