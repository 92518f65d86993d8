/**
 * DescribeStateMachine, DescribeStateMachineForExecution and ListStateMachines. They leave out what the local cloud does
 * not run: logging, tracing and encryption.
 */
import type { JsonObject } from '../../basics/json';
import type { StateMachineResource } from '../../cloudformation/resources';
import type { StateMachine } from '../state-machine';
import { INCLUDED_DATA, requireExecution, requireMachine, seconds } from './operation';
import { page } from './paging';
import type { Parameters } from './parameters';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html */
export function describeStateMachine(machine: StateMachine, parameters: Parameters): JsonObject {
  requireMachine(machine, parameters);
  return {
    ...describe(machine.resource, parameters),
    status: 'ACTIVE',
    type: machine.resource.type,
    creationDate: seconds(machine.creationTime),
  };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html */
export function describeStateMachineForExecution(machine: StateMachine, parameters: Parameters): JsonObject {
  const { init } = requireExecution(machine, parameters);
  return { ...describe(init.resource, parameters), updateDate: seconds(machine.updateTime) };
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListStateMachines.html */
export function listStateMachines(machine: StateMachine, parameters: Parameters): JsonObject {
  const { arn: stateMachineArn, name, type } = machine.resource;
  const all = [{ stateMachineArn, name, type, creationDate: seconds(machine.creationTime) }];
  const { items: stateMachines, ...next } = page(all, parameters, {
    name: 'ListStateMachines',
    idOf: (stateMachine) => stateMachine.stateMachineArn,
  });
  return { stateMachines, ...next };
}

function describe(
  { arn, name, definition, roleArn }: StateMachineResource,
  parameters: Parameters,
): JsonObject {
  const included = parameters.choice('includedData', INCLUDED_DATA) !== 'METADATA_ONLY';
  return {
    stateMachineArn: arn,
    name,
    ...(included && { definition }),
    ...(roleArn !== undefined && { roleArn }),
  };
}
