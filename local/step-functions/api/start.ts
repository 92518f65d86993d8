/** StartExecution and StartSyncExecution. */
import { randomUUID } from 'node:crypto';
import type { Json, JsonObject } from '../../json';
import { isExecutionName, MAX_EXECUTION_NAME, MAX_STATE_BYTES } from '../limits';
import type { MachineExecution } from '../machine-execution';
import { describeOutcome } from './executions';
import { ApiError, typeNotSupported } from './api-error';
import type { Parameters } from './parameters';

/** More would overflow the stack of the interpreter. AWS documents no limit. */
const MAX_LEVELS = 1000;

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
export function startExecution(parameters: Parameters): JsonObject {
  const machine = parameters.machine('findStartable');
  const { name, input, inputText } = readStart(parameters);
  const existing = machine.named(name);
  // Starting the same execution again while it runs succeeds.
  if (existing !== undefined && (existing.status !== 'RUNNING' || existing.init.inputText !== inputText)) {
    throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${existing.init.arn}'`);
  }
  return started(existing ?? machine.start(input, { name, inputText }));
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html */
export async function startSyncExecution(parameters: Parameters): Promise<JsonObject> {
  const machine = parameters.machine('findStartable');
  const { name, input, inputText } = readStart(parameters);
  if (machine.resource.type !== 'EXPRESS') throw typeNotSupported();
  const execution = machine.start(input, { name, inputText });
  await execution.result;
  return {
    ...started(execution),
    stateMachineArn: machine.resource.arn,
    name,
    ...describeOutcome(execution),
  };
}

function started({ init, startTime }: MachineExecution): JsonObject {
  return { executionArn: init.arn, startDate: startTime / 1000 };
}

function readStart(parameters: Parameters) {
  const name = parameters.text('name', MAX_EXECUTION_NAME) ?? randomUUID();
  const inputText = parameters.text('input', MAX_STATE_BYTES) ?? '{}';
  if (!isExecutionName(name)) throw new ApiError('InvalidName', `Invalid Name: '${name}'`);
  return { name, inputText, input: parseInput(inputText) };
}

function parseInput(text: string): Json {
  const size = Buffer.byteLength(text);
  if (size > MAX_STATE_BYTES) {
    throw invalidInput(`The input has ${size} bytes, and the maximum is ${MAX_STATE_BYTES}.`);
  }
  let input: Json;
  try {
    input = JSON.parse(text) as Json;
  } catch (error) {
    throw invalidInput((error as Error).message);
  }
  if (isDeeper(input, MAX_LEVELS)) {
    throw invalidInput(`The input has more than ${MAX_LEVELS} nested levels.`);
  }
  return input;
}

function isDeeper(value: Json | undefined, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((field) => isDeeper(field, levels - 1));
}

function invalidInput(reason: string): ApiError {
  return new ApiError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`);
}
