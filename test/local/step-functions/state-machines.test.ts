import { StateMachines } from '../../../local/step-functions/state-machines';
import { machine, task } from '../../support/machine-fixture';

test('an execution is found in the state machine that started it', async () => {
  const fixture = machine(task());
  const machines = new StateMachines([fixture.stateMachine]);
  const execution = fixture.start('mine');
  await execution.result;
  expect(machines.findExecution(execution.init.arn)).toEqual({ machine: fixture.stateMachine, execution });
  expect(machines.findExecution(`${execution.init.arn}-other`)).toBeUndefined();
});

test('a later deployment replaces all state machines and the reasons why others do not run', () => {
  const { stateMachine } = machine(task());
  const { arn } = stateMachine.resource;
  const machines = new StateMachines();
  machines.replace([], new Map([[arn, 'it is too large']]));
  expect(machines.find(arn)).toBeUndefined();
  expect(machines.refusal(arn)).toBe('it is too large');
  machines.replace([stateMachine]);
  expect(machines.find(arn)).toBe(stateMachine);
  expect(machines.all()).toEqual([stateMachine]);
  expect(machines.refusal(arn)).toBeUndefined();
});
