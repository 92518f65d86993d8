import { Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Template } from 'aws-cdk-lib/assertions';
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

  test('refuse a maxFailedRuns of 0', () => {
    const { stack, pipeline } = stackWithPipeline();
    expect(errorOf(() => new SlicedInferenceAlarms(stack, 'Alarms', { pipeline, maxFailedRuns: 0 }))).toBe(
      'maxFailedRuns must be a whole number of 1 or more, got 0: set the number of failed runs that sets off the alarm',
    );
  });

  const ACTION = 'must be an action (cloudwatch.IAlarmAction)';
  const PIPELINE = 'pipeline must be a SlicedInferencePipeline';

  test.each<[props: unknown, message: string]>([
    [
      undefined,
      'the props of SlicedInferenceAlarms must be an object, got undefined: pass { pipeline }, for example',
    ],
    [{ pipeline: undefined }, `${PIPELINE}, got undefined: pass the construct itself`],
    [{ pipeline: null }, `${PIPELINE}, got null: pass the construct itself`],
    [{ pipeline: 'Pipeline' }, `${PIPELINE}, got the string 'Pipeline': pass the construct itself`],
    [{ maxFailedRuns: '3' }, "maxFailedRuns must be a number, got the string '3': pass 3, without quotes"],
    [{ maxTime: 2 }, 'maxTime must be a Duration, got 2: use Duration.seconds(2)'],
    [{ maxTime: null }, 'maxTime must have a value, got null: leave it out'],
    [
      { actions: 'arn:aws' },
      "actions must be a list of actions, got the string 'arn:aws': pass [new SnsAction(topic)], for example",
    ],
    [
      { actions: ['arn:aws'] },
      `actions[0] ${ACTION}, got the string 'arn:aws': use an SnsAction, for example`,
    ],
    [
      { max_time: 2 },
      "the props of SlicedInferenceAlarms must have props that exist, got 'max_time': use maxTime",
    ],
  ])('refuse %j', (props, message) => {
    const { stack, pipeline } = stackWithPipeline();
    const all = props && { pipeline, ...props };
    expect(errorOf(() => new SlicedInferenceAlarms(stack, 'Alarms', all as { pipeline: never }))).toBe(
      message,
    );
  });

  test('warn of an unknown prop', () => {
    const { stack, pipeline } = stackWithPipeline();
    const props = { pipeline, banana: 1 };
    new SlicedInferenceAlarms(stack, 'Alarms', props);
    Annotations.fromStack(stack).hasWarning(
      '/Stack/Alarms',
      "the props of SlicedInferenceAlarms must have props that exist, got 'banana', which has no effect: remove it " +
        '[ack: cdk-sliced-inference:unknownProp]',
    );
  });

  test('refuse an action that is none', () => {
    const { stack, pipeline } = stackWithPipeline();
    const alarms = new SlicedInferenceAlarms(stack, 'Alarms', { pipeline });
    expect(
      errorOf(() => {
        alarms.addAlarmAction('arn:aws' as never);
      }),
    ).toBe(`the action of alarms ${ACTION}, got the string 'arn:aws': use an SnsAction, for example`);
  });

  test('refuse props in place of the id', () => {
    const { stack, pipeline } = stackWithPipeline();
    const create = SlicedInferenceAlarms as unknown as new (scope: Stack, props: object) => unknown;
    expect(errorOf(() => new create(stack, { pipeline }))).toBe(
      'the id of SlicedInferenceAlarms must be a string, got an object: pass scope, id and props',
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
