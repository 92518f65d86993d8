/** What the operations of the API share. */
import type { JsonObject } from '../../json';
import type { MachineExecution } from '../machine-execution';
import type { StateMachine } from '../state-machine';
import type { StateMachines } from '../state-machines';
import { ApiError } from './api-error';
import type { Parameters } from './parameters';

/** Handles a request and returns the members of its response. */
export type Operation = (machines: StateMachines, parameters: Parameters) => JsonObject | Promise<JsonObject>;

export const INCLUDED_DATA = ['ALL_DATA', 'METADATA_ONLY'] as const;

/** AWS's JSON protocol sends times in seconds since 1970. */
export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

/** The state machine that the parameter names. */
export function requireMachine(machines: StateMachines, parameters: Parameters): StateMachine {
  return found(machines, parameters, (arn) => machines.find(arn));
}

/** The state machine that the parameter names, itself or by an alias. */
export function requireStartable(machines: StateMachines, parameters: Parameters): StateMachine {
  return found(machines, parameters, (arn) => machines.findStartable(arn));
}

function found(
  machines: StateMachines,
  parameters: Parameters,
  find: (arn: string) => StateMachine | undefined,
): StateMachine {
  const arn = parameters.arn('stateMachineArn');
  checkArn(arn, 'stateMachine');
  const machine = find(arn);
  if (machine !== undefined) return machine;
  const refusal = machines.refusal(arn);
  const reason = refusal === undefined ? '' : `, because ${refusal}`;
  throw new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'${reason}`);
}

/** The Standard execution that the parameter names. */
export function requireExecution(machines: StateMachines, parameters: Parameters): MachineExecution {
  return requireExecutionOf(machines, parameters).execution;
}

/** The Standard execution that the parameter names, and its state machine. */
export function requireExecutionOf(
  machines: StateMachines,
  parameters: Parameters,
): { readonly machine: StateMachine; readonly execution: MachineExecution } {
  const arn = parameters.arn('executionArn');
  checkArn(arn, 'execution');
  const found = machines.findExecution(arn);
  if (found !== undefined) return found;
  throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
}

/** AWS refuses the ARN of an Express execution with the second message. */
function checkArn(arn: string, type: 'execution' | 'stateMachine'): void {
  const match = /^arn:aws[\w-]*:states:[\w-]+:\d{12}:(\w+):[^:]+/.exec(arn);
  if (match === null) throw new ApiError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
  if (match[1] === type) return;
  throw new ApiError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${match[1]}'`);
}
