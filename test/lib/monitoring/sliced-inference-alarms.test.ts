import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SlicedInferenceAlarms, Slicing } from '../../../lib';
import { addPipeline, errorOf, newApp, newStack } from '../../support/pipeline-stack';

function stackWithPipeline() {
  const stack = newStack();
  return { stack, pipeline: addPipeline(stack, 'Pipeline', { slicing: Slicing.count(3) }) };
}

describe('the alarms of a pipeline', () => {
  test('go off for failed, timed-out and throttled runs, and for slow runs if maxTime is set', () => {
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

  test.each([0, -1, 1.5, NaN])('refuse a maxFailedRuns of %d', (maxFailedRuns) => {
    const { stack, pipeline } = stackWithPipeline();
    expect(errorOf(() => new SlicedInferenceAlarms(stack, 'Alarms', { pipeline, maxFailedRuns }))).toBe(
      `maxFailedRuns must be a whole number of 1 or more, got ${maxFailedRuns}: set the number of failed runs that sets off the alarm`,
    );
  });

  test('may be in another stack than the pipeline', () => {
    const app = newApp();
    const pipeline = addPipeline(new Stack(app, 'Stack'), 'Pipeline');
    const watching = new Stack(app, 'Watching');
    new SlicedInferenceAlarms(watching, 'Alarms', { pipeline });
    Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Alarm', 3);
  });
});
