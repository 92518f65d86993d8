/** Pipelines whose executions are stopped at any slice and redriven: the results are those of an undisturbed run. */
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { ExecutionOutput } from '../../contract/execution';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { Slicing } from '../../lib';
import type { LocalCloud, TraceEvent } from '../../local';
import { start, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { float32 } from '../support/tensors';

const SLICES = 3;

let cloud: LocalCloud;
let client: SFNClient;
/** Called with each event of an execution. */
let onTrace: (event: TraceEvent) => void = () => undefined;

beforeAll(async () => {
  const stateMachineType = sfn.StateMachineType.STANDARD;
  const assembly = synthesize(saveModel(mlp(SLICES)), () => ({
    slicing: Slicing.count(SLICES),
    stateMachineType,
  }));
  cloud = await start(assembly, {
    onTrace: (event) => {
      onTrace(event);
    },
  });
  client = new SFNClient(cloud.stepFunctions);
  await cloud.putObject('inputs/x', encodeSafetensors(new Map([['x', float32([2, 16])]])));
});

afterAll(() => {
  client.destroy();
});

const REQUEST = { version: 1, inputs: { s3: 'inputs/x' } };

async function resultOf(output: unknown): Promise<Buffer> {
  return await cloud.getObject((output as ExecutionOutput).outputs.s3?.key ?? '');
}

/** Starts executions until one is stopped while this state runs, and returns its ARN. A stop may come too late. */
async function stoppedIn(state: string): Promise<string> {
  for (;;) {
    let stop: Promise<unknown> | undefined;
    onTrace = (event) => {
      if (event.type !== 'TaskStarted' || event.state !== state || stop !== undefined) return;
      stop = client.send(new StopExecutionCommand({ executionArn: event.executionArn, error: 'Stopped' }));
    };
    const { status, executionArn } = await cloud.execute(REQUEST);
    onTrace = () => undefined;
    await stop;
    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    const last = events.findLast(({ type }) => type === 'TaskStateEntered');
    const running = events.at(-2)?.type === 'TaskStarted' && last?.stateEnteredEventDetails?.name === state;
    if (status === 'ABORTED' && running) return executionArn;
  }
}

async function ended(executionArn: string) {
  for (;;) {
    const description = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (description.status !== 'RUNNING') return description;
  }
}

test.each([0, 1, 2])(
  'an execution that is stopped in slice %d continues there when it is redriven',
  async (slice) => {
    const undisturbed = await cloud.execute(REQUEST);
    if (undisturbed.status !== 'SUCCEEDED') throw new Error(undisturbed.cause);
    const executionArn = await stoppedIn(`Slice 0${slice}`);

    await client.send(new RedriveExecutionCommand({ executionArn }));
    const { status: after, output = '', redriveCount } = await ended(executionArn);
    expect([after, redriveCount]).toEqual(['SUCCEEDED', 1]);
    expect(await resultOf(JSON.parse(output))).toEqual(await resultOf(undisturbed.output));

    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    const entered = events.flatMap(({ type, stateEnteredEventDetails }) =>
      type === 'TaskStateEntered' ? [stateEnteredEventDetails?.name] : [],
    );
    // No slice is entered twice, and only the stopped one is scheduled twice.
    expect(entered).toEqual(Array.from({ length: SLICES }, (_, index) => `Slice 0${index}`));
    expect(events.filter(({ type }) => type === 'TaskScheduled')).toHaveLength(SLICES + 1);
  },
);
