/** An object below inputs/arrivals/ starts a run. Results and failures arrive in queues. */
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferenceAlarms, SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const app = new App();
const stack = new Stack(app, 'Arrivals');

const pipeline = new SlicedInferencePipeline(stack, 'Digits', {
  modelPath: 'digits.onnx',
  slicing: Slicing.count(2),
  dimensions: { batch: 1 },
  // Step Functions sends events about the ends of Standard executions, and you can redrive those that failed.
  stateMachineType: sfn.StateMachineType.STANDARD,
  // The local cloud runs the functions on this machine, so the app takes its architecture.
  architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});
const { bucket, stateMachine } = pipeline;

function queue(id: string): sqs.Queue {
  return new sqs.Queue(stack, id, { retentionPeriod: Duration.days(14), enforceSSL: true });
}
const [results, failures, undelivered] = [queue('Results'), queue('Failures'), queue('Undelivered')];

/** Events that EventBridge could not deliver for an hour. */
const delivery = { maxEventAge: Duration.hours(1), deadLetterQueue: undelivered };

bucket.enableEventBridgeNotification();
new events.Rule(stack, 'Arrival', {
  eventPattern: {
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: 'inputs/arrivals/' }] } },
  },
  targets: [
    new targets.SfnStateMachine(stateMachine, {
      input: events.RuleTargetInput.fromObject({
        version: 1,
        inputs: { s3: events.EventField.fromPath('$.detail.object.key') },
        output: { inline: 'never' },
      }),
      ...delivery,
    }),
  ],
});

/** Sends each execution that ends so to a queue, with its input and its output. */
function onEnd(id: string, status: string[], target: sqs.Queue): void {
  new events.Rule(stack, id, {
    eventPattern: {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [stateMachine.stateMachineArn], status },
    },
    targets: [
      new targets.SqsQueue(target, {
        message: events.RuleTargetInput.fromEventPath('$.detail'),
        ...delivery,
      }),
    ],
  });
}
onEnd('Succeeded', ['SUCCEEDED'], results);
onEnd('Failed', ['FAILED', 'TIMED_OUT', 'ABORTED'], failures);

// Pass `actions`, such as an SnsAction, to be told of failures.
new SlicedInferenceAlarms(stack, 'Alarms', { pipeline });

new CfnOutput(stack, 'Bucket', { value: bucket.bucketName });
new CfnOutput(stack, 'StateMachineArn', { value: stateMachine.stateMachineArn });
new CfnOutput(stack, 'ResultsQueue', { value: results.queueUrl });
new CfnOutput(stack, 'FailuresQueue', { value: failures.queueUrl });
