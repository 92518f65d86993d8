/** Runs a Standard execution: starts it, asks for its state until it has ended, and stops it if the caller no longer waits. */
import { randomUUID } from 'node:crypto';
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { isThrottled } from '../aws/failures';
import { InferenceError } from '../errors';
import { Backoff } from './backoff';
import type { Call } from './call';
import type { ExecutionEnd } from './execution-end';
import { mayPass, Repeats } from './repeats';
import { failedStep, StateEvents } from './state-events';
import { pause } from './wait';

export async function runStandard(call: Call, input: string): Promise<ExecutionEnd> {
  const { signal, machine, stopOnAbort } = call;
  signal.throwIfAborted();
  const name = randomUUID();
  let executionArn = machine.executionArn(name);
  try {
    const started = await start(call, { name, input, executionArn });
    executionArn = started.executionArn;
    call.setExecution(executionArn);
    call.report({ event: 'started', executionArn, time: started.startDate?.getTime() });
    return await follow(call, executionArn);
  } catch (error) {
    if (signal.aborted && stopOnAbort) await stop(call, executionArn);
    throw error;
  }
}

interface Start {
  /** It is new, so the second of two equal requests finds the execution of the first one. */
  readonly name: string;
  readonly input: string;
  /** Of the execution, unless Step Functions returns another one. */
  readonly executionArn: string;
}

async function start(
  call: Call,
  { name, input, executionArn }: Start,
): Promise<{ readonly executionArn: string; readonly startDate?: Date | undefined }> {
  const { stepFunctions, stateMachineArn, signal, stopOnAbort } = call;
  const backoff = new Backoff(call.pollInterval);
  const repeats = new Repeats(call);
  for (;;) {
    try {
      // An aborted request may have started the execution, or start it after it was stopped.
      const ends = stopOnAbort ? undefined : signal;
      const started = await stepFunctions.startExecution({ stateMachineArn, name, input }, ends);
      repeats.succeeded();
      return { executionArn: started.executionArn ?? executionArn, startDate: started.startDate };
    } catch (error) {
      // The execution of an earlier attempt has ended already.
      if (error instanceof Error && error.name === 'ExecutionAlreadyExists') {
        repeats.succeeded();
        return { executionArn };
      }
      if (mayHaveStarted(error, signal)) call.setExecution(executionArn);
      repeats.failed(error);
      await pause(backoff.next(), signal);
    }
  }
}

/** Whether the execution may run although its start failed. Step Functions has refused all others. */
function mayHaveStarted(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (mayPass(error) && !isThrottled(error));
}

async function follow(call: Call, executionArn: string): Promise<ExecutionEnd> {
  const { signal, followsStates } = call;
  const backoff = new Backoff(call.pollInterval);
  const repeats = new Repeats(call, isUnknown);
  const states = followsStates ? new StateEvents(call, executionArn) : undefined;
  for (;;) {
    await pause(backoff.next(), signal);
    try {
      const end = await endOf(call, executionArn, states);
      repeats.succeeded();
      if (end !== undefined) return end;
    } catch (error) {
      repeats.failed(error);
      if (!isUnknown(error)) backoff.grow();
    }
  }
}

/**
 * DescribeExecution is eventually consistent: it may not know an execution that has just started.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
 */
function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.name === 'ExecutionDoesNotExist';
}

/** `undefined` while the execution runs. */
async function endOf(
  call: Call,
  executionArn: string,
  states: StateEvents | undefined,
): Promise<ExecutionEnd | undefined> {
  const { signal, stepFunctions, hasOwnFunctions } = call;
  const known = await stepFunctions.describeExecution(executionArn, 'METADATA_ONLY', signal);
  // Also after the end, for the events since the last pause.
  await states?.report();
  if (isRunning(known)) return undefined;
  const end = await stepFunctions.describeExecution(executionArn, 'ALL_DATA', signal);
  // The second answer may be older than the first one.
  if (isRunning(end)) return undefined;
  const { status, output, error, cause } = end;
  const step = hasOwnFunctions && status === 'FAILED' ? await failedStep(call, executionArn) : undefined;
  return { executionArn, status, output, error, cause, step };
}

function isRunning({ status }: DescribeExecutionOutput): boolean {
  return status === 'RUNNING' || status === 'PENDING_REDRIVE';
}

async function stop({ stepFunctions }: Call, executionArn: string): Promise<void> {
  try {
    await stepFunctions.stopExecution(executionArn, 'the caller no longer waits for the result');
  } catch (error) {
    // It was never started.
    if (isUnknown(error)) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InferenceError(
      'NotStopped',
      `the wait has ended, and the execution could not be stopped: ${reason}: stop it yourself`,
      { executionArn, cause: error },
    );
  }
}
