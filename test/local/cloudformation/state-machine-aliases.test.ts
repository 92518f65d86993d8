import type { JsonObject } from '../../../local/json';
import { readAliases } from '../../../local/cloudformation/state-machine-aliases';
import { Template } from '../../../local/cloudformation/template';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:S-Machine';

function read(alias: JsonObject) {
  return readAliases(
    new Template({
      name: 'S',
      environment: { account: '000000000000', region: 'us-east-1' },
      template: {
        Resources: {
          Machine: { Type: 'AWS::StepFunctions::StateMachine', Properties: {} },
          Version: {
            Type: 'AWS::StepFunctions::StateMachineVersion',
            Properties: { StateMachineArn: { Ref: 'Machine' } },
          },
          Live: { Type: 'AWS::StepFunctions::StateMachineAlias', Properties: alias },
        },
      },
    }),
  );
}

const version = { StateMachineVersionArn: { Ref: 'Version' } };

describe('an alias of a state machine', () => {
  it.each([
    ['a deployment', { DeploymentPreference: { ...version, Alarms: [{ Ref: 'Elsewhere' }] } }],
    ['routes', { RoutingConfiguration: [{ ...version, Weight: 100 }] }],
  ])('stands for the state machine of its version, with %s', (_, alias) => {
    expect(read({ Name: 'live', ...alias }).machines).toEqual(new Map([[`${MACHINE}:live`, MACHINE]]));
  });

  it('has a name from stack and logical id if the template has none', () => {
    expect([...read({ DeploymentPreference: version }).machines.keys()]).toEqual([`${MACHINE}:S-Live`]);
  });

  it.each([
    [
      { Name: 'live' },
      "the local cloud does not support AWS::StepFunctions::StateMachineAlias 'Live' without a",
    ],
    [{ RoutingConfiguration: [] }, 'without a version of a state machine'],
    [{ DeploymentPreference: { StateMachineVersionArn: { Ref: 'Elsewhere' } } }, "'Elsewhere'"],
  ])('that names nothing of the stack is not there: %j', (alias, reason) => {
    const { machines, notices } = read(alias);
    expect(machines.size).toBe(0);
    expect(notices).toEqual([
      expect.stringMatching(/^the alias 'Live' of a state machine is not there: /) as string,
    ]);
    expect(notices[0]).toContain(reason);
  });
});
