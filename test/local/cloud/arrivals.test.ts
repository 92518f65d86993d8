/** Objects that arrive in the local S3 start what the rules of a stack say. */
import { S3 } from '@aws-sdk/client-s3';
import { SFN, type DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { Upload } from '@aws-sdk/lib-storage';
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Json, LocalCloud, LocalCloudOptions } from '../../../local';
import { valueAt } from '../../../local/json';
import { PipelineStack, start as startCloud, synthesize } from '../../support/pipeline-app';
import { until } from '../../support/until';

const clients: { destroy(): void }[] = [];
afterAll(() => {
  for (const client of clients) client.destroy();
});

const PREFIX = 'inputs/arrivals/';

const ECHO = 'exports.handler = async ({ request }) => request;';

type Change = (stack: PipelineStack) => void;

/** A Standard pipeline, whose executions can be listed. */
function assembly(change: Change): string {
  return synthesize((app) => {
    change(
      new PipelineStack(app, 'Arrivals', {
        source: ECHO,
        stateMachineType: sfn.StateMachineType.STANDARD,
      }),
    );
  });
}

const INPUT = events.RuleTargetInput.fromObject({
  version: 1,
  inputs: { s3: events.EventField.fromPath('$.detail.object.key') },
  from: `${events.EventField.fromPath('$.detail.bucket.name')} by ${events.EventField.fromPath('$.detail.reason')}`,
});

/** @param input `'event'` for the whole event */
function addRule(stack: PipelineStack, input: events.RuleTargetInput | 'event' = INPUT): events.Rule {
  return new events.Rule(stack, 'Arrival', {
    eventPattern: {
      source: ['aws.s3'],
      detailType: ['Object Created'],
      detail: { bucket: { name: [stack.bucket.bucketName] }, object: { key: [{ prefix: PREFIX }] } },
    },
    targets: [
      new targets.SfnStateMachine(stack.machine, {
        ...(input !== 'event' && { input }),
        retryAttempts: 2,
        maxEventAge: Duration.hours(1),
      }),
    ],
  });
}

const arriving: Change = (stack) => {
  stack.bucket.enableEventBridgeNotification();
  addRule(stack);
};

function start(change: Change, options?: LocalCloudOptions): Promise<LocalCloud> {
  return startCloud(assembly(change), options);
}

/** The executions that have ended, the newest first, when there are so many. */
async function ended(cloud: LocalCloud, count: number): Promise<DescribeExecutionOutput[]> {
  const client = new SFN(cloud.stepFunctions);
  clients.push(client);
  const { stateMachineArn } = cloud.stateMachine;
  const executions = await until(`${count} executions`, async () => {
    const listed = await client.listExecutions({ stateMachineArn });
    const done = listed.executions?.filter(({ status }) => status !== 'RUNNING') ?? [];
    return done.length >= count && done;
  });
  return await Promise.all(executions.map(({ executionArn }) => client.describeExecution({ executionArn })));
}

function outputOf({ output = 'null' }: DescribeExecutionOutput): unknown {
  return JSON.parse(output);
}

test('an object below the prefix starts the state machine with the transformed event, however written', async () => {
  const cloud = await start(arriving);
  const client = new S3(cloud.s3);
  clients.push(client);
  const Bucket = cloud.pipeline.bucket;
  await client.putObject({ Bucket, Key: 'inputs/other', Body: 'x' });
  await client.putObject({ Bucket, Key: `${PREFIX}a b.txt`, Body: 'x' });
  const params = { Bucket, Key: `${PREFIX}large`, Body: Buffer.alloc(6_000_000) };
  await new Upload({ client, params }).done();
  await cloud.putObject(`${PREFIX}mine`, Buffer.from('x'));
  const input = (key: string, reason: string) => ({
    version: 1,
    inputs: { s3: `${PREFIX}${key}` },
    from: `${Bucket} by ${reason}`,
  });
  const found = (await ended(cloud, 3)).map(outputOf);
  expect(found).toHaveLength(3);
  expect(found).toEqual(
    expect.arrayContaining([
      input('a b.txt', 'PutObject'),
      input('large', 'CompleteMultipartUpload'),
      input('mine', 'PutObject'),
    ]),
  );
});

test('without a transformer the input is the event, as S3 documents it', async () => {
  const cloud = await start((stack) => {
    // The property of a bucket sends its events too.
    const bucket = stack.bucket.node.defaultChild as s3.CfnBucket;
    const configuration = { EventBridgeConfiguration: { EventBridgeEnabled: true } };
    bucket.addPropertyOverride('NotificationConfiguration', configuration);
    addRule(stack, 'event');
  });
  await cloud.putObject(`${PREFIX}a`, Buffer.from('hello'));
  await cloud.putObject(`${PREFIX}b`, Buffer.from('later'));
  const executions = await ended(cloud, 2);
  const sequencer = (event: unknown) => valueAt(event as Json, ['detail', 'object', 'sequencer']) as string;
  const [first, second] = executions.map(outputOf).sort((a, b) => (sequencer(a) < sequencer(b) ? -1 : 1));
  expect(second).toMatchObject({ detail: { object: { key: `${PREFIX}b` } } });
  expect(first).toMatchObject({
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '000000000000',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
    resources: [`arn:aws:s3:::${cloud.pipeline.bucket}`],
    detail: {
      bucket: { name: cloud.pipeline.bucket },
      object: { key: `${PREFIX}a`, size: 5, etag: '5d41402abc4b2a76b9719d911017c592' },
      reason: 'PutObject',
    },
  });
  expect(executions[0].name).toMatch(/^[0-9a-f-]{36}_[0-9a-f-]{36}$/);
});

function eventsRole(stack: PipelineStack): iam.Role {
  const role = stack.machine.node.findChild('EventsRole');
  if (!(role instanceof iam.Role)) throw new Error('the rule has no role');
  return role;
}

test.each<[string, Change, RegExp]>([
  [
    'without the permission',
    (stack) => {
      arriving(stack);
      const denied = { effect: iam.Effect.DENY, actions: ['states:*'], resources: ['*'] };
      eventsRole(stack).addToPolicy(new iam.PolicyStatement(denied));
    },
    /the rule 'Arrival\w+' started no execution for 'inputs\/arrivals\/a': .* is not authorized to perform: states:StartExecution/,
  ],
  [
    'without the trust of its role',
    (stack) => {
      arriving(stack);
      const principal = 'AssumeRolePolicyDocument.Statement.0.Principal.Service';
      (eventsRole(stack).node.defaultChild as iam.CfnRole).addPropertyOverride(
        principal,
        'lambda.amazonaws.com',
      );
    },
    /sts:AssumeRole/,
  ],
  [
    'with an input that is not JSON',
    (stack) => {
      stack.bucket.enableEventBridgeNotification();
      const rule = addRule(stack).node.defaultChild as events.CfnRule;
      rule.addPropertyOverride('Targets.0.InputTransformer.InputTemplate', '{"key":<detail-object-key>');
    },
    /the input of the state machine must be JSON, got '{"key":"inputs\/arrivals\/a"'/,
  ],
  [
    'for a bucket that does not send its events',
    (stack) => void addRule(stack),
    /no bucket of the stack sends its events to EventBridge/,
  ],
  [
    'on a schedule',
    (stack) => {
      const schedule = events.Schedule.rate(Duration.days(1));
      new events.Rule(stack, 'Daily', { schedule, targets: [new targets.SfnStateMachine(stack.machine)] });
    },
    /the rule 'Daily\w+' starts nothing here: the local cloud only has events of S3/,
  ],
])('a rule that cannot start its state machine leaves a notice: %s', async (_, change, expected) => {
  const notices: string[] = [];
  const cloud = await start(change, { onNotice: (notice) => notices.push(notice) });
  await cloud.putObject(`${PREFIX}a`, Buffer.from('x'));
  expect(notices.join('\n')).toMatch(expected);
});
