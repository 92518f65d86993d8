/** The resources of a function of a whole model: what the template has, what it grants, and which props it refuses. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import {
  GraphOptimization,
  InferenceFunction,
  InferenceHandler,
  SliceMetric,
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
  type InferenceFunctionProps,
} from '../../../lib';
import type { AnalyzeOptions } from '../../../lib/compile/analyze';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { addFunction } from '../../support/function-stack';
import { graphOf } from '../../support/graph-text';
import { FLOAT, int64s, saveModel, value } from '../../support/model-builder';
import { errorOf, MLP_PATH, newStack } from '../../support/pipeline-stack';
import { temporaryFolder } from '../../support/temporary-folder';
import { writtenPlan } from '../../support/written-plan';

type Props = Partial<InferenceFunctionProps>;

function created(props: Props | ((stack: Stack) => Props) = {}) {
  const stack = newStack();
  const fn = addFunction(stack, {
    architecture: lambda.Architecture.X86_64,
    ...(typeof props === 'function' ? props(stack) : props),
  });
  return {
    ...{ stack, fn },
    /** Made when a test asks for it, because it ends the changes of the stack. */
    get template() {
      return Template.fromStack(stack);
    },
  };
}

interface Resource {
  readonly Properties: Readonly<Record<string, unknown>>;
}

function only(template: Template, type: string): Readonly<Record<string, unknown>> {
  const found = Object.values(template.findResources(type)) as Resource[];
  expect(found).toHaveLength(1);
  return found[0].Properties;
}

const variables = (template: Template) =>
  (only(template, 'AWS::Lambda::Function').Environment as { Variables: Record<string, string> }).Variables;

test('has one function with an alias, a bucket and a log group, and no state machine', () => {
  const { template } = created();
  const counts = Object.values(template.toJSON().Resources as Record<string, { Type: string }>).map(
    ({ Type }) => Type,
  );
  expect(counts.sort()).toEqual([
    ...['AWS::IAM::ManagedPolicy', 'AWS::IAM::Policy', 'AWS::IAM::Role'],
    ...['AWS::Lambda::Alias', 'AWS::Lambda::Function', 'AWS::Lambda::Version', 'AWS::Logs::LogGroup'],
    ...['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'],
  ]);
  expect(only(template, 'AWS::Lambda::Alias').Name).toBe('live');
  expect(variables(template)).toMatchObject({
    ...{ SLICE_INDEX: '0', SLICE_DIRECT_CALLS: 'on', SLICE_GRAPH_OPTIMIZATION: 'all', SLICE_THREADS: '1' },
  });
  expect(variables(template)).not.toHaveProperty('SLICE_PREPACKING');
});

test('moves from a pipeline by its name alone, with the same props', () => {
  const props = { modelPath: MLP_PATH, dimensions: { batch: 1 }, removalPolicy: RemovalPolicy.DESTROY };
  const [one, other] = [InferenceFunction, SlicedInferencePipeline].map((Construct) => {
    const stack = newStack();
    const model = new Construct(stack, 'Model', props);
    model.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
    return { model, bucket: only(Template.fromStack(stack), 'AWS::S3::Bucket') };
  });
  expect(one.bucket).toEqual(other.bucket);
  expect(one.model.plan.slices).toHaveLength(1);
  // A function has no states to pay for.
  const price = ({ model }: typeof one) => model.plan.warmRun?.costPerMillion ?? Infinity;
  expect(price(one)).toBeLessThan(price(other) / 2);
});

test('its role reads its files and requests, and writes results, and nothing else', () => {
  const { template } = created();
  const policies = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap(
    (type) => Object.values(template.findResources(type)) as Resource[],
  );
  const statements = policies.flatMap(
    ({ Properties }) =>
      (Properties.PolicyDocument as { Statement: { Action: string; Sid: string; Resource: unknown }[] })
        .Statement,
  );
  const objects = (key: string) => ({
    'Fn::Join': ['', [{ 'Fn::GetAtt': [expect.stringContaining('Bucket'), 'Arn'] }, key]],
  });
  expect(statements.map(({ Sid, Action }) => `${Sid}: ${[Action].flat().join()}`)).toEqual([
    'ReadSlice: s3:GetObject',
    'WriteTensors: s3:PutObject',
    'ReadTensors: s3:GetObject',
    'WriteLogs: logs:CreateLogStream,logs:PutLogEvents',
    'WriteTraces: xray:PutTelemetryRecords,xray:PutTraceSegments',
  ]);
  expect(statements[1].Resource).toEqual(objects('/outputs/*.safetensors'));
  expect(statements[2].Resource).toEqual([objects('/inputs/*'), objects('/outputs/*.safetensors')]);
});

test('grantInvoke allows calls of the alias, and of the URL if there is one', () => {
  const { stack, fn } = created({ functionUrl: true });
  fn.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
  const template = Template.fromStack(stack);
  expect(only(template, 'AWS::Lambda::Url')).toMatchObject({ AuthType: 'AWS_IAM' });
  const policies = Object.values(template.findResources('AWS::IAM::Policy')) as Resource[];
  const granted = policies
    .flatMap(
      ({ Properties }) => (Properties.PolicyDocument as { Statement: Record<string, unknown>[] }).Statement,
    )
    .filter(({ Sid }) => Sid === undefined);
  const alias = { Ref: expect.stringMatching(/^ClassifyModelFunctionAlias/) as string };
  expect(granted.map(({ Action, Resource: own }) => [Action, own])).toEqual([
    ['lambda:InvokeFunction', alias],
    ['lambda:InvokeFunctionUrl', alias],
    ['lambda:InvokeFunction', alias],
    ['s3:PutObject', expect.anything()],
    ['s3:GetObject', expect.anything()],
  ]);
});

test('grantInvoke of an AWS service allows it in the policy of the alias', () => {
  const { stack, fn } = created();
  fn.grantInvoke(new iam.ServicePrincipal('scheduler.amazonaws.com'));
  expect(only(Template.fromStack(stack), 'AWS::Lambda::Permission')).toMatchObject({
    ...{ Action: 'lambda:InvokeFunction', Principal: 'scheduler.amazonaws.com' },
    FunctionName: { Ref: expect.stringMatching(/^ClassifyModelFunctionAlias/) as string },
  });
});

test('takes its options as a Lambda function does', () => {
  const { template, fn } = created((stack) => ({
    ...{ memorySize: 3538, timeout: Duration.minutes(3), environment: { TEAM: 'search' } },
    ...{ reservedConcurrentExecutions: 5, provisionedConcurrentExecutions: 2 },
    encryptionKey: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
    architecture: lambda.Architecture.ARM_64,
  }));
  expect(only(template, 'AWS::Lambda::Function')).toMatchObject({
    ...{ MemorySize: 3538, Timeout: 180, ReservedConcurrentExecutions: 5, Architectures: ['arm64'] },
    Handler: 'provisioned.handler',
  });
  expect(variables(template)).toMatchObject({ TEAM: 'search', SLICE_THREADS: '2' });
  expect([fn.plan.threads, fn.plan.slices[0].memorySize]).toEqual([2, 3538]);
  expect(only(template, 'AWS::Lambda::Alias').ProvisionedConcurrencyConfig).toEqual({
    ProvisionedConcurrentExecutions: 2,
  });
});

test.each([
  [GraphOptimization.NONE, 'none'],
  [GraphOptimization.EXTENDED, 'extended'],
] as const)(
  'with the level %s, the model is loaded as it was optimized at synth time',
  (graphOptimization, level) => {
    const { template, fn } = created({ graphOptimization });
    expect(variables(template)).not.toHaveProperty('SLICE_GRAPH_OPTIMIZATION');
    expect(fn.plan.slices).toHaveLength(1);
    expect(level).toBe(graphOptimization);
  },
);

test('another level, and another handler, make another deployment', () => {
  const digest = (props: Props) => variables(created(props).template).SLICE_DEPLOYMENT_DIGEST;
  const [all, none] = [digest({}), digest({ graphOptimization: GraphOptimization.NONE })];
  expect(all).not.toBe(none);
  expect(digest({})).toBe(all);
  const handled = (text: string) => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'index.js'), text);
    return digest({ postprocess: InferenceHandler.fromFolder(folder) });
  };
  const [one, other] = [handled('exports.handler = () => 1;'), handled('exports.handler = () => 2;')];
  expect(new Set([all, one, other]).size).toBe(3);
  expect(handled('exports.handler = () => 1;')).toBe(one);
});

test('has alarms and graphs, and metrics of calls if it reports them', () => {
  const { stack, fn } = created({ sliceMetrics: true });
  const { alarms } = new SlicedInferenceAlarms(stack, 'Alarms', {
    pipeline: fn,
    maxTime: Duration.seconds(2),
  });
  expect(alarms.map(({ node }) => node.id)).toEqual(['Failed', 'Throttled', 'Slow']);
  new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [fn] });
  const text = JSON.stringify(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  for (const title of ['runs', 'time of a run', 'calls without capacity', 'peak memory'])
    expect(text).toContain(`Stack/Classify: ${title}`);
  expect(fn.metricCall(SliceMetric.PEAK_MEMORY).metricName).toBe('peakMemoryBytes');
  expect(() => created().fn.metricCall(SliceMetric.RUN_TIME)).toThrow(
    'Stack/Classify: metricCall must be called on a function with sliceMetrics, got one without: set its sliceMetrics to true',
  );
});

const withoutPath = { modelPath: undefined, dimensions: undefined };
const sliced = (
  slices: number,
  modelPath = MLP_PATH,
  options: AnalyzeOptions = { dimensions: { batch: 1 } },
) => {
  const { folder } = writtenPlan(compile(modelPath, count(slices), options));
  return { ...withoutPath, slicedModel: SlicedModel.fromDirectory(folder) } as never as Props;
};

test('the alarm for failures also counts answers by a URL with a status of 5xx, whoever has made the URL', () => {
  const { stack, fn } = created();
  fn.alias.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE });
  new SlicedInferenceAlarms(stack, 'Alarms', { pipeline: fn });
  const found = Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm', {
    Properties: { AlarmDescription: 'Stack/Classify: runs fail' },
  });
  const [{ Properties }] = Object.values(found) as Resource[];
  const metrics = Properties.Metrics as {
    Expression?: string;
    MetricStat?: { Metric: { MetricName: string } };
  }[];
  expect(metrics.flatMap(({ Expression }) => Expression ?? [])).toEqual([
    'MAX([FILL(errors, 0), FILL(url, 0)])',
  ]);
  expect(metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.MetricName ?? [])).toEqual([
    'Errors',
    'Url5xxCount',
  ]);
});

// ONNX Runtime computes 512 MB of a shape when it loads the model, and holds half as much again meanwhile.
const FOLDED_MB = 512 * 1.5;
const folding = () =>
  saveModel({
    graph: graphOf('ConstantOfShape s > v; MatMul x v > y', {
      input: [value('x', FLOAT, [1, 128])],
      output: [value('y', FLOAT, [1, 2 ** 20])],
      initializer: [int64s('s', [128, 2 ** 20])],
    }),
  });
test('has memory for what ONNX Runtime computes of constants, also for a model that was sliced before', () => {
  const modelPath = folding();
  const pipeline = new SlicedInferencePipeline(newStack(), 'Model', { modelPath, slicing: Slicing.count(1) });
  const least = FOLDED_MB + ((pipeline.functions[0].node.defaultChild as lambda.CfnFunction).memorySize ?? 0);
  for (const props of [{ ...withoutPath, modelPath } as never as Props, sliced(1, modelPath, {})])
    expect(only(created(props).template, 'AWS::Lambda::Function').MemorySize).toBeGreaterThanOrEqual(least);
});

test('a model that does not fit names the pipeline', () => {
  const dimensions = { batch: 100_000_000 };
  for (const props of [{ dimensions }, sliced(1, MLP_PATH, { dimensions })])
    expect(errorOf(() => created(props))).toMatch(/memory.*use a SlicedInferencePipeline/);
});

test('takes a model that was sliced into one slice', () => {
  expect(variables(created(sliced(1)).template)).toMatchObject({ SLICE_GRAPH_OPTIMIZATION: 'all' });
});

test.each<[words: string, props: Props | (() => Props)]>([
  [
    'the slicedModel of a function must have one slice, got 2: slice the model with --slices 1, or use a SlicedInferencePipeline',
    () => sliced(2),
  ],
  ['memorySize must be a whole number of MB from 128 to 10240, got 64', { memorySize: 64 }],
  ['timeout must be a whole number of seconds from 1 to 900, got 1200', { timeout: Duration.minutes(20) }],
  [
    "environment must not set variables that the library uses, got 'SLICE_INDEX'",
    { environment: { SLICE_INDEX: '1' } },
  ],
  [
    'provisionedConcurrentExecutions must be at most reservedConcurrentExecutions',
    { reservedConcurrentExecutions: 1, provisionedConcurrentExecutions: 2 },
  ],
  ["'/nowhere' must be an ONNX file, got no such file or folder", { modelPath: '/nowhere' }],
  [
    'graphOptimization ALL needs a slicedModel that was not optimized, got one optimized at basic: slice the model with --optimize none, or leave graphOptimization out',
    () => ({
      ...sliced(1, MLP_PATH, { optimization: 'basic' }),
      graphOptimization: GraphOptimization.ALL,
    }),
  ],
  [
    'preprocess of a function must be an InferenceHandler, got another object: pass InferenceHandler.fromFile, or use a SlicedInferencePipeline, which calls a Lambda function',
    { preprocess: {} as never },
  ],
  ['runtime must be Node.js 20 or newer, got python3.13', { runtime: lambda.Runtime.PYTHON_3_13 }],
])('refuses: %s', (words, props) => {
  expect(errorOf(() => created(props))).toContain(words);
});

test('a pipeline refuses the level of functions', () => {
  const props = { modelPath: MLP_PATH, graphOptimization: GraphOptimization.ALL };
  expect(errorOf(() => new SlicedInferencePipeline(new Stack(new App(), 'Stack'), 'Own', props))).toContain(
    'graphOptimization of a pipeline must be NONE, BASIC or EXTENDED, got ALL, whose optimizations do not stop at cuts',
  );
});
