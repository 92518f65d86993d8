/**
 * The operations on state machines. They leave out what the local cloud does not run: logging, tracing and encryption.
 */
import type { JsonObject } from '../../json';
import type { StateMachineResource } from '../../cloudformation/resources';
import type { StateMachines } from '../state-machines';
import { page, requireExecutionOf, requireMachine, seconds } from './operation';
import type { Parameters } from './parameters';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html */
export function describeStateMachine(machines: StateMachines, parameters: Parameters): JsonObject {
  const machine = requireMachine(machines, parameters);
  return {
    ...describe(machine.found().resource, parameters),
    status: 'ACTIVE',
    type: machine.resource.type,
    creationDate: seconds(machine.creationTime),
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html */
export function describeStateMachineForExecution(
  machines: StateMachines,
  parameters: Parameters,
): JsonObject {
  const { machine, execution } = requireExecutionOf(machines, parameters);
  return { ...describe(execution.init.resource, parameters), updateDate: seconds(machine.updateTime) };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html */
export function listStateMachines(machines: StateMachines, parameters: Parameters): JsonObject {
  const all = machines.all().map(({ resource: { arn: stateMachineArn, name, type }, creationTime }) => {
    return { stateMachineArn, name, type, creationDate: seconds(creationTime) };
  });
  const { items: stateMachines, ...next } = page(all, parameters, {
    idOf: (stateMachine) => stateMachine.stateMachineArn,
  });
  return { stateMachines, ...next };
}

function describe(
  { arn, name, definition, roleArn }: StateMachineResource,
  parameters: Parameters,
): JsonObject {
  const included = parameters.includesData();
  return {
    stateMachineArn: arn,
    name,
    ...(included && { definition }),
    roleArn,
  };
}
