/** What the construct offers to watch a pipeline: metrics, a dashboard, alarms. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SlicedInferenceAlarms, SlicedInferenceDashboard, Slicing } from '../../../lib';
import { addPipeline, errorOf, newApp, newStack } from '../../support/pipeline-stack';

function stackWithPipeline() {
  const stack = newStack();
  return { stack, pipeline: addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3) }) };
}

describe('metrics', () => {
  const { stack, pipeline } = stackWithPipeline();

  test('of runs are those of the state machine', () => {
    const metrics = [
      pipeline.metricStarted(),
      pipeline.metricSucceeded(),
      pipeline.metricFailed(),
      pipeline.metricTimedOut(),
      pipeline.metricTime(),
    ];
    expect(metrics.map(({ namespace, metricName, statistic }) => [namespace, metricName, statistic])).toEqual(
      [
        ['AWS/States', 'ExecutionsStarted', 'Sum'],
        ['AWS/States', 'ExecutionsSucceeded', 'Sum'],
        ['AWS/States', 'ExecutionsFailed', 'Sum'],
        ['AWS/States', 'ExecutionsTimedOut', 'Sum'],
        ['AWS/States', 'ExecutionTime', 'Average'],
      ],
    );
    for (const { dimensions } of metrics) {
      expect(stack.resolve(dimensions)).toEqual({
        StateMachineArn: stack.resolve(pipeline.stateMachine.stateMachineArn) as unknown,
      });
    }
  });

  test('of slices are those of their functions, over all versions', () => {
    const metrics = [
      pipeline.metricSliceInvocations(1),
      pipeline.metricSliceDuration(1, { statistic: 'p95' }),
      pipeline.metricSliceErrors(1),
      pipeline.metricSliceThrottles(1),
    ];
    expect(metrics.map(({ namespace, metricName, statistic }) => [namespace, metricName, statistic])).toEqual(
      [
        ['AWS/Lambda', 'Invocations', 'Sum'],
        ['AWS/Lambda', 'Duration', 'p95'],
        ['AWS/Lambda', 'Errors', 'Sum'],
        ['AWS/Lambda', 'Throttles', 'Sum'],
      ],
    );
    for (const { dimensions } of metrics) {
      expect(stack.resolve(dimensions)).toEqual({
        FunctionName: stack.resolve(pipeline.functions[1].functionName) as unknown,
      });
    }
  });

  test.each([3, -1, 0.5, NaN])('of a slice %d, which there is not, are refused', (slice) => {
    expect(errorOf(() => pipeline.metricSliceErrors(slice))).toBe(
      `a slice must be a whole number from 0 to 2, got ${slice}: give the index of one of the pipeline's slices`,
    );
  });
});

test('the dashboard has two rows of three graphs for each pipeline, or three with metrics of its own, with a line for each slice', () => {
  const { stack, pipeline } = stackWithPipeline();
  const other = addPipeline(stack, 'Other', { sliceMetrics: true });
  new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [pipeline, other], dashboardName: 'models' });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'models' });
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const { 'Fn::Join': join } = (
    dashboard as { Properties: { DashboardBody: { 'Fn::Join': [string, unknown[]] } } }
  ).Properties.DashboardBody;
  const body = join[1].map((part) => (typeof part === 'string' ? part : 'token')).join('');
  const { widgets } = JSON.parse(body) as {
    widgets: { x: number; y: number; properties: { title: string; metrics: unknown[] } }[];
  };
  expect(widgets.map(({ properties, x, y }) => [properties.title, x, y, properties.metrics.length])).toEqual([
    ['Stack/Pipeline: runs', 0, 0, 4],
    ['Stack/Pipeline: time of a run', 8, 0, 3],
    ['Stack/Pipeline: p95 of calls', 16, 0, 3],
    ['Stack/Pipeline: calls', 0, 6, 3],
    ['Stack/Pipeline: failed calls', 8, 6, 3],
    ['Stack/Pipeline: calls without capacity', 16, 6, 3],
    ['Stack/Other: runs', 0, 12, 4],
    ['Stack/Other: time of a run', 8, 12, 3],
    ['Stack/Other: p95 of calls', 16, 12, 1],
    ['Stack/Other: calls', 0, 18, 1],
    ['Stack/Other: failed calls', 8, 18, 1],
    ['Stack/Other: calls without capacity', 16, 18, 1],
    ['Stack/Other: cold starts', 0, 24, 1],
    ["Stack/Other: p95 of ONNX Runtime's run", 8, 24, 1],
    ['Stack/Other: peak memory', 16, 24, 1],
  ]);
});

describe('alarms', () => {
  test('go off for runs that fail, time out or find no capacity, and for slow ones where a limit is given', () => {
    const { stack, pipeline } = stackWithPipeline();
    const topic = new Topic(stack, 'Topic');
    const { alarms } = new SlicedInferenceAlarms(stack, 'Alarms', {
      pipeline,
      maxFailedRuns: 5,
      maxTime: Duration.seconds(2),
      actions: [new SnsAction(topic)],
    });
    expect(alarms.map(({ node }) => node.id)).toEqual(['Failed', 'TimedOut', 'Throttled', 'Slow']);
    const template = Template.fromStack(stack);
    const found = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      ({ Properties }: { Properties?: Record<string, unknown> }) => Properties ?? {},
    );
    expect(
      found.map(({ MetricName, Threshold, ComparisonOperator }) => [
        MetricName,
        Threshold,
        ComparisonOperator,
      ]),
    ).toEqual([
      ['ExecutionsFailed', 5, 'GreaterThanOrEqualToThreshold'],
      ['ExecutionsTimedOut', 1, 'GreaterThanOrEqualToThreshold'],
      ['ExecutionThrottled', 1, 'GreaterThanOrEqualToThreshold'],
      ['ExecutionTime', 2000, 'GreaterThanThreshold'],
    ]);
    for (const { AlarmActions, OKActions, TreatMissingData, Period } of found) {
      expect(AlarmActions).toEqual([stack.resolve(topic.topicArn)]);
      expect(OKActions).toEqual(AlarmActions);
      expect([TreatMissingData, Period]).toEqual(['notBreaching', 300]);
    }
  });

  test('need a whole number of failed runs', () => {
    const { stack, pipeline } = stackWithPipeline();
    expect(errorOf(() => new SlicedInferenceAlarms(stack, 'Alarms', { pipeline, maxFailedRuns: 0 }))).toBe(
      'maxFailedRuns must be a whole number of 1 or more, got 0: give the number from which on it is an alarm',
    );
  });

  test('and the dashboard may lie in another stack', () => {
    const app = newApp();
    const pipeline = addPipeline(new Stack(app, 'Stack'), 'Pipeline');
    const watching = new Stack(app, 'Watching');
    new SlicedInferenceAlarms(watching, 'Alarms', { pipeline });
    new SlicedInferenceDashboard(watching, 'Dashboard', { pipelines: [pipeline] });
    Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Alarm', 3);
  });
});
