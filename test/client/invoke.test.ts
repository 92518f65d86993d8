/** Calls a state machine of the user, which has pipelines inside and no signature in its comment. */
import { fakeAws, MACHINE, succeeded } from '../support/fake-aws';

const OWN = { type: 'EXPRESS', definition: JSON.stringify({ StartAt: 'A', TimeoutSeconds: 60 }) };
const machine = { DescribeStateMachine: () => OWN };

describe('a state machine without a signature', () => {
  it('can be invoked with any JSON', async () => {
    const aws = fakeAws({ ...machine, StartSyncExecution: () => succeeded('{"text":"x"}') });
    expect((await aws.model.invoke({ photo: 1 })).output).toEqual({ text: 'x' });
    expect((await aws.model.invoke({ photo: 2 })).output).toEqual({ text: 'x' });
    expect(aws.names()).toEqual(['DescribeStateMachine', 'StartSyncExecution', 'StartSyncExecution']);
  });

  it('cannot be described or run on tensors', async () => {
    const { model } = fakeAws(machine);
    await expect(model.describe()).rejects.toMatchObject({ name: 'NotAPipeline' });
    await expect(model.infer({ x: [1] })).rejects.toMatchObject({ name: 'NotAPipeline' });
  });

  it('is not started with an input above the limit, and its output must be JSON', async () => {
    const aws = fakeAws({ ...machine, StartSyncExecution: () => succeeded('{') });
    await expect(aws.model.invoke('x'.repeat(262_143))).rejects.toMatchObject({
      name: 'InvalidInput',
      message:
        'the input must be at most 262144 bytes as JSON, got 262145: put large parts into S3 and pass their key',
    });
    expect(aws.names()).not.toContain('StartSyncExecution');
    await expect(aws.model.invoke({})).rejects.toThrow('must have JSON, got something else');
  });
});

const running = { ...machine, StartSyncExecution: () => succeeded('1') };

it.each([
  ['live', MACHINE],
  ['7-green', MACHINE],
  ['7', `${MACHINE}:7`],
])('the qualifier %s is started, and described by %s', async (qualifier, describedArn) => {
  const stateMachineArn = `${MACHINE}:${qualifier}`;
  const aws = fakeAws(running, { stateMachineArn });
  await aws.model.invoke({});
  expect(aws.calls.map(({ name, input }) => [name, input.stateMachineArn])).toEqual([
    ['DescribeStateMachine', describedArn],
    ['StartSyncExecution', stateMachineArn],
  ]);
});
