/** What the operations of the API share. */
import type { JsonObject } from '../../basics/json';
import type { MachineExecution } from '../machine-execution';
import type { StateMachine } from '../state-machine';
import { ApiError } from './errors';
import type { Parameters } from './parameters';

/** Handles a request and returns the members of its response. */
export type Operation = (machine: StateMachine, parameters: Parameters) => JsonObject | Promise<JsonObject>;

export const INCLUDED_DATA = ['ALL_DATA', 'METADATA_ONLY'] as const;

/** AWS's JSON protocol sends times in seconds since 1970. */
export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

/** Checks that the parameter names the state machine. */
export function requireMachine(machine: StateMachine, parameters: Parameters): void {
  const arn = parameters.arn('stateMachineArn');
  checkArn(arn, 'stateMachine');
  if (arn === machine.resource.arn) return;
  throw new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

/** The Standard execution that the parameter names. */
export function requireExecution(machine: StateMachine, parameters: Parameters): MachineExecution {
  const arn = parameters.arn('executionArn');
  checkArn(arn, 'execution');
  const execution = machine.find(arn);
  if (execution !== undefined) return execution;
  throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
}

/** AWS refuses the ARN of an Express execution with the second message. */
function checkArn(arn: string, type: 'execution' | 'stateMachine'): void {
  const match = /^arn:aws[\w-]*:states:[\w-]+:\d{12}:(\w+):[^:]+/.exec(arn);
  if (match === null) throw new ApiError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
  if (match[1] === type) return;
  throw new ApiError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${match[1]}'`);
}
