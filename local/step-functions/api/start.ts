/** StartExecution and StartSyncExecution. */
import { randomUUID } from 'node:crypto';
import type { Json, JsonObject } from '../../json';
import { isExecutionName, MAX_EXECUTION_NAME, MAX_STATE_BYTES } from '../limits';
import type { MachineExecution } from '../machine-execution';
import type { StateMachines } from '../state-machines';
import { describeInput, describeOutcome } from './executions';
import { ApiError, typeNotSupported } from './api-error';
import { requireMachine, seconds } from './operation';
import type { Parameters } from './parameters';

/** An Express execution is billed in steps of 100 ms and of 64 MB. https://aws.amazon.com/step-functions/pricing/ */
const BILLED_MS = 100;
const BILLED_MB = 64;

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
export function startExecution(machines: StateMachines, parameters: Parameters): JsonObject {
  const machine = requireMachine(machines, parameters, 'findStartable');
  const { name, inputText, ...start } = readStart(parameters);
  const input = parseInput(inputText);
  const existing = machine.named(name);
  if (existing !== undefined) {
    // Starting the same execution again while it runs succeeds.
    if (existing.status !== 'RUNNING' || existing.init.inputText !== inputText) {
      throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${existing.init.arn}'`);
    }
    return started(existing);
  }
  return started(machine.start(input, { name, inputText, ...start }));
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html */
export async function startSyncExecution(
  machines: StateMachines,
  parameters: Parameters,
): Promise<JsonObject> {
  const machine = requireMachine(machines, parameters, 'findStartable');
  const { name, inputText, ...start } = readStart(parameters);
  const included = parameters.includesData();
  if (machine.resource.type !== 'EXPRESS') throw typeNotSupported();
  const execution = machine.start(parseInput(inputText), { name, inputText, ...start });
  await execution.result;
  const stopTime = execution.end?.time ?? execution.startTime;
  const steps = Math.max(1, Math.ceil((stopTime - execution.startTime) / BILLED_MS));
  return {
    ...started(execution),
    stateMachineArn: machine.resource.arn,
    name,
    ...describeInput(execution, included),
    ...describeOutcome(execution, included),
    billingDetails: { billedDurationInMilliseconds: steps * BILLED_MS, billedMemoryUsedInMB: BILLED_MB },
  };
}

function started({ init, startTime }: MachineExecution): JsonObject {
  return { executionArn: init.arn, startDate: seconds(startTime) };
}

function readStart(parameters: Parameters) {
  const name = parameters.text('name', { from: 1, to: MAX_EXECUTION_NAME }) ?? randomUUID();
  const inputText = parameters.text('input', { to: MAX_STATE_BYTES }) ?? '{}';
  const traceHeader = parameters.text('traceHeader', { to: 256, pattern: /^[\u0000-\u007f]*$/ });
  if (!isExecutionName(name)) throw new ApiError('InvalidName', `Invalid Name: '${name}'`);
  return { name, inputText, traceHeader };
}

function parseInput(text: string): Json {
  if (text.trim() === '') throw invalidInput('Invalid execution input.');
  const size = Buffer.byteLength(text);
  if (size > MAX_STATE_BYTES) {
    throw invalidInput(`The input has ${size} bytes, and the maximum is ${MAX_STATE_BYTES}.`);
  }
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw invalidInput((error as Error).message);
  }
}

function invalidInput(reason: string): ApiError {
  return new ApiError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`);
}
