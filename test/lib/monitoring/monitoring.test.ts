/** Metrics, alarms and dashboard of a pipeline. */
import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import {
  BatchItems,
  SlicedInferenceAlarms,
  SlicedInferenceBatch,
  SlicedInferenceDashboard,
  SliceMetric,
  Slicing,
} from '../../../lib';
import { addPipeline, errorOf, newStack } from '../../support/pipeline-stack';

const stack = newStack();
const plain = addPipeline(stack, 'Plain');
const pipeline = addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3), sliceMetrics: true });
const topic = new Topic(stack, 'Topic');
const { alarms } = new SlicedInferenceAlarms(stack, 'Alarms', {
  pipeline,
  maxFailedRuns: 5,
  maxTime: Duration.seconds(2),
  actions: [new SnsAction(topic)],
});
new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [plain, pipeline], dashboardName: 'models' });
const template = Template.fromStack(stack);

test('failed items of a batch have a metric, and an alarm if the user says how many', () => {
  const own = newStack();
  const watched = addPipeline(own, 'Pipeline');
  const batch = new SlicedInferenceBatch(own, 'Batch', {
    pipeline: watched,
    items: BatchItems.objects('inputs/docs/'),
  });
  new SlicedInferenceAlarms(own, 'Alarms', { pipeline: watched, batches: [batch], maxFailedItems: 7 });
  const { namespace, metricName, statistic, dimensions } = batch.metricFailedItems();
  expect([namespace, metricName, statistic]).toEqual(['SlicedInference', 'FailedItems', 'Sum']);
  const name = own.resolve(batch.function.functionName) as unknown;
  expect(own.resolve(dimensions)).toEqual({ FunctionName: name });
  Template.fromStack(own).hasResourceProperties('AWS::CloudWatch::Alarm', {
    ...{ MetricName: 'FailedItems', Threshold: 7, Dimensions: [{ Name: 'FunctionName', Value: name }] },
    AlarmDescription: 'Stack/Batch: items fail',
  });
});

test('metrics of slices are those of their functions', () => {
  const [, fn] = pipeline.functions;
  const metrics = [
    pipeline.metricSlice(1, SliceMetric.COLD_STARTS),
    pipeline.metricSlice(1, SliceMetric.PEAK_MEMORY),
    pipeline.metricSlice(1, SliceMetric.RUN_TIME, { statistic: 'p95' }),
  ];
  const of = metrics.map(({ namespace, metricName, statistic }) => `${namespace} ${metricName} ${statistic}`);
  expect(of).toEqual([
    'SlicedInference coldStarts Sum',
    'SlicedInference peakMemoryBytes Maximum',
    'SlicedInference runMs p95',
  ]);
  const slice = { FunctionName: stack.resolve(fn.functionName) as unknown };
  for (const { dimensions } of metrics) expect(stack.resolve(dimensions)).toEqual(slice);
});

test('metricSlice requires sliceMetrics', () => {
  expect(errorOf(() => plain.metricSlice(0, SliceMetric.RUN_TIME))).toContain('got one without: set its');
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  expect(functions.filter((fn) => JSON.stringify(fn).includes('SLICE_METRICS_NAMESPACE'))).toHaveLength(3);
});

test('alarms go off for failed, timed-out and throttled runs, and for slow runs if maxTime is set', () => {
  expect(alarms.map(({ node }) => node.id)).toEqual(['Failed', 'TimedOut', 'Throttled', 'Slow']);
  const found = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }: { Properties?: Record<string, unknown> }) => Properties ?? {},
  );
  const actions = [stack.resolve(topic.topicArn) as unknown];
  const common = { AlarmActions: actions, OKActions: actions, TreatMissingData: 'notBreaching', Period: 300 };
  const least = { ...common, ComparisonOperator: 'GreaterThanOrEqualToThreshold', EvaluationPeriods: 1 };
  const above = { ...common, ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 2 };
  expect(found).toMatchObject([
    { MetricName: 'ExecutionsFailed', Threshold: 5, ...least },
    { MetricName: 'ExecutionsTimedOut', Threshold: 1, ...least },
    { MetricName: 'ExecutionThrottled', Threshold: 1, ...least },
    { MetricName: 'ExecutionTime', Threshold: 2000, ExtendedStatistic: 'p95', ...above },
  ]);
});

test('the dashboard shows each pipeline in rows of three graphs, with a line per slice', () => {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const { DashboardName, DashboardBody } = (
    dashboard as { Properties: { DashboardName: string; DashboardBody: { 'Fn::Join': [string, unknown[]] } } }
  ).Properties;
  expect(DashboardName).toBe('models');
  const parts = DashboardBody['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'token'));
  const { widgets } = JSON.parse(parts.join('')) as {
    widgets: { x: number; y: number; properties: { title: string; metrics: unknown[] } }[];
  };
  const shown = widgets.map(({ properties, x, y }) => [properties.title, x, y, properties.metrics.length]);
  const rowsOf = (id: string, first: number, slices: number) => [
    [`Stack/${id}: runs`, 0, first, 4],
    [`Stack/${id}: time of a run`, 8, first, 3],
    [`Stack/${id}: p95 of calls`, 16, first, slices],
    [`Stack/${id}: calls`, 0, first + 6, slices],
    [`Stack/${id}: failed calls`, 8, first + 6, slices],
    [`Stack/${id}: calls without capacity`, 16, first + 6, slices],
  ];
  expect(shown).toEqual([
    ...[...rowsOf('Plain', 0, 1), ...rowsOf('Pipeline', 12, 3)],
    ['Stack/Pipeline: cold starts', 0, 24, 3],
    ["Stack/Pipeline: p95 of ONNX Runtime's run", 8, 24, 3],
    ['Stack/Pipeline: peak memory', 16, 24, 3],
  ]);
});

test('a dashboard must have pipelines', () => {
  const empty = () => new SlicedInferenceDashboard(newStack(), 'Dashboard', { pipelines: [] });
  expect(errorOf(empty)).toContain('pipelines must have one or more, got an empty list');
});
