/** Executions that are stopped at any slice and redriven continue there, with the results of an undisturbed run. */
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
import type { TraceEvent } from '../../local';
import { rows, start, succeeded, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { until } from '../support/until';

const SLICES = 3;
const REQUEST = { version: 1, inputs: { s3: 'inputs/x' } };

test('an execution that is stopped in a slice continues there when it is redriven', async () => {
  const stateMachineType = sfn.StateMachineType.STANDARD;
  const props = { slicing: Slicing.count(SLICES), stateMachineType };
  let onTrace: (event: TraceEvent) => void = () => undefined;
  const assembly = synthesize(saveModel(mlp(SLICES)), () => props);
  const cloud = await start(assembly, {
    onTrace: (event) => {
      onTrace(event);
    },
  });
  const client = new SFNClient(cloud.stepFunctions);
  await cloud.putObject('inputs/x', encodeSafetensors(rows(2, 1)));
  const resultOf = (output: ExecutionOutput) => cloud.getObject(output.outputs.s3?.key ?? '');
  const undisturbed = succeeded(await cloud.execute(REQUEST));
  const historyOf = async (executionArn: string) =>
    (await client.send(new GetExecutionHistoryCommand({ executionArn }))).events ?? [];

  for (const state of ['Slice 00', 'Slice 01', 'Slice 02']) {
    // A stop may come too late: then the next execution is stopped.
    const executionArn = await until(`an execution that is stopped in ${state}`, async () => {
      let stop: Promise<unknown> | undefined;
      onTrace = (event) => {
        if (event.type !== 'TaskStarted' || event.state !== state || stop !== undefined) return;
        stop = client.send(new StopExecutionCommand({ executionArn: event.executionArn, error: 'Stopped' }));
      };
      const { status, executionArn: arn } = await cloud.execute(REQUEST);
      onTrace = () => undefined;
      await stop;
      const events = await historyOf(arn);
      const last = events.findLast(({ type }) => type === 'TaskStateEntered');
      const wasRunning =
        events.at(-2)?.type === 'TaskStarted' && last?.stateEnteredEventDetails?.name === state;
      return status === 'ABORTED' && wasRunning && arn;
    });

    await client.send(new RedriveExecutionCommand({ executionArn }));
    const ended = await until('the end of the execution', async () => {
      const description = await client.send(new DescribeExecutionCommand({ executionArn }));
      return description.status !== 'RUNNING' && description;
    });
    expect([ended.status, ended.redriveCount]).toEqual(['SUCCEEDED', 1]);
    const output = JSON.parse(ended.output ?? '') as ExecutionOutput;
    expect(await resultOf(output)).toEqual(await resultOf(undisturbed));

    const events = await historyOf(executionArn);
    const entered = events.flatMap(({ type, stateEnteredEventDetails }) =>
      type === 'TaskStateEntered' ? [stateEnteredEventDetails?.name] : [],
    );
    // No slice is entered twice, and only the stopped one is scheduled twice.
    expect(entered).toEqual(['Slice 00', 'Slice 01', 'Slice 02']);
    expect(events.filter(({ type }) => type === 'TaskScheduled')).toHaveLength(SLICES + 1);
  }
  client.destroy();
});
