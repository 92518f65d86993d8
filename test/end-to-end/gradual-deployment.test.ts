/** An alias of the state machine, as docs/operations.md describes it, is called by the client with its ARN. */
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Slicing, type SlicedInferencePipeline } from '../../lib';
import { clientOf } from '../support/client-of-cloud';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';

function withAlias(stack: Stack, { stateMachine }: SlicedInferencePipeline): void {
  const { stateMachineArn, stateMachineRevisionId } = stateMachine;
  const version = new sfn.CfnStateMachineVersion(stack, 'Version', {
    stateMachineArn,
    stateMachineRevisionId,
  });
  const canary = { type: 'CANARY', percentage: 10, interval: 10 };
  new sfn.CfnStateMachineAlias(stack, 'Live', {
    deploymentPreference: { ...canary, stateMachineVersionArn: version.ref },
  });
}

test('an alias that shifts runs gradually is called on tensors, which come back', async () => {
  const props = { slicing: Slicing.count(2), dimensions: { batch: 1 } };
  const cloud = await start(synthesize(saveModel(mlp(3)), () => props, { use: withAlias }));
  const { stateMachineArn, bucket } = cloud.pipeline;
  const model = clientOf(cloud, { stateMachineArn: `${stateMachineArn}:Test-Live` });
  const { outputs, executionArn } = await model.infer(rows(1, 2));
  expect(outputs.y.data).toEqual((await clientOf(cloud).infer(rows(1, 2))).outputs.y.data);
  expect(executionArn).toContain(':express:');
  expect(await model.describe()).toMatchObject({ stateMachineArn: `${stateMachineArn}:Test-Live`, bucket });
  // It must be one of the stack, and DescribeStateMachine takes none.
  const missing = { name: 'StateMachineDoesNotExist' };
  const other = clientOf(cloud, { stateMachineArn: `${stateMachineArn}:Other` });
  await expect(other.invoke({})).rejects.toMatchObject(missing);
  const stepFunctions = new SFNClient(cloud.stepFunctions);
  const described = new DescribeStateMachineCommand({ stateMachineArn: `${stateMachineArn}:Test-Live` });
  await expect(stepFunctions.send(described)).rejects.toMatchObject(missing);
  stepFunctions.destroy();
});
