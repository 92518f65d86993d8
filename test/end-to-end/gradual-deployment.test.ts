/** An alias of the state machine, as docs/operations.md describes it, keeps the promise of one model per run. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CfnOutput, type Stack } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferenceAlarms, Slicing, type SlicedInferencePipeline } from '../../lib';
import { clientOf } from '../support/client-of-cloud';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly UpdateReplacePolicy?: string;
  readonly DeletionPolicy?: string;
}

function withAlias(stack: Stack, pipeline: SlicedInferencePipeline): void {
  const { alarms } = new SlicedInferenceAlarms(stack, 'Alarms', { pipeline });
  const { stateMachineArn, stateMachineRevisionId } = pipeline.stateMachine;
  const version = new sfn.CfnStateMachineVersion(stack, 'Version', {
    stateMachineArn,
    stateMachineRevisionId,
  });
  const live = new sfn.CfnStateMachineAlias(stack, 'Live', {
    deploymentPreference: {
      stateMachineVersionArn: version.ref,
      type: 'CANARY',
      percentage: 10,
      interval: 10,
      alarms: alarms.map(({ alarmName }) => alarmName),
    },
  });
  new CfnOutput(stack, 'LiveArn', { value: live.attrArn });
}

const [before, after] = [3, 4].map((layers) =>
  synthesize(saveModel(mlp(layers)), () => ({ slicing: Slicing.count(2), dimensions: { batch: 1 } }), {
    use: withAlias,
  }),
);

function resources(assembly: string, type: string): [string, Resource][] {
  const template = JSON.parse(fs.readFileSync(path.join(assembly, 'Test.template.json'), 'utf8')) as {
    Resources: Record<string, Resource>;
  };
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

const ids = (assembly: string, type: string): string[] => resources(assembly, type).map(([id]) => id);

describe('an alias that shifts runs gradually', () => {
  it('finds the versions and the permissions of the earlier model, which CloudFormation keeps until the alias has changed', () => {
    const versions = resources(before, 'AWS::Lambda::Version');
    const retained = { UpdateReplacePolicy: 'Retain', DeletionPolicy: 'RetainExceptOnCreate' };
    expect(versions).toMatchObject(versions.map(([id]) => [id, retained]));
    const reads = (assembly: string): string[] =>
      resources(assembly, 'AWS::IAM::Policy').flatMap(([id, { Properties }]) =>
        JSON.stringify(Properties).includes('ReadSlice') ? [id] : [],
      );
    const earlier = [...versions.map(([id]) => id), ...reads(before)];
    expect(earlier).toHaveLength(4);
    // Resources with other ids are created first and deleted last, instead of being changed in place.
    const later = new Set([...ids(after, 'AWS::Lambda::Version'), ...reads(after)]);
    expect(earlier.filter((id) => later.has(id))).toEqual([]);
  });

  it('is called by the client with its ARN, on tensors that come back', async () => {
    const cloud = await start(before);
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
});
