/** What the operations of the API share. */
import type { JsonObject } from '../../json';
import type { MachineExecution } from '../machine-execution';
import type { StateMachine } from '../state-machine';
import type { StateMachines } from '../state-machines';
import { ApiError } from './api-error';
import type { Parameters } from './parameters';

export type Operation = (machines: StateMachines, parameters: Parameters) => JsonObject | Promise<JsonObject>;

/** AWS's JSON protocol sends times in seconds since 1970. */
export function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

/**
 * The state machine that the parameter names.
 * @param how with `findStartable`, the parameter may also name an alias of it
 */
export function requireMachine(
  machines: StateMachines,
  parameters: Parameters,
  how: 'find' | 'findStartable' = 'find',
): StateMachine {
  const arn = parameters.arn('stateMachineArn');
  checkArn(arn, 'stateMachine');
  const machine = machines[how](arn);
  if (machine !== undefined) return machine;
  const refusal = machines.refusal(arn);
  const reason = refusal === undefined ? '' : `, because ${refusal}`;
  throw new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'${reason}`);
}

export function requireExecution(machines: StateMachines, parameters: Parameters): MachineExecution {
  return requireExecutionOf(machines, parameters).execution;
}

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

interface Listing<T> {
  readonly idOf: (item: T) => string;
  /**
   * Which items to return. They may change from page to page.
   * @default - all
   */
  readonly keeps?: (item: T) => boolean;
}

/** Returns one page, and the token of the next one: the id of the last item, because a list may grow at both ends meanwhile. */
export function page<T>(
  all: readonly T[],
  parameters: Parameters,
  { idOf, keeps = () => true }: Listing<T>,
): { items: readonly T[]; nextToken?: string } {
  const size = parameters.pageSize();
  const token = parameters.text('nextToken', { from: 1, to: 3096 });
  const last = token === undefined ? undefined : Buffer.from(token, 'base64url').toString();
  const position = last === undefined ? -1 : all.findIndex((item) => idOf(item) === last);
  if (last !== undefined && position < 0)
    throw new ApiError('InvalidToken', "Invalid Token: 'Invalid token'");
  const rest = all.slice(position + 1).filter(keeps);
  const items = rest.slice(0, size);
  if (rest.length <= size) return { items };
  return { items, nextToken: Buffer.from(idOf(items[size - 1])).toString('base64url') };
}
