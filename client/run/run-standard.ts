/** Runs a Standard execution: starts it, asks for its state until it has ended, and stops it if the caller no longer waits. */
import { randomUUID } from 'node:crypto';
import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';
import { isTransient } from '../aws/failures';
import { InferenceError, InferenceTimeoutError } from '../errors';
import { Backoff } from './backoff';
import type { Call } from './call';
import type { ExecutionEnd } from './execution-end';
import { StateEvents } from './state-events';
import { pause } from './wait';

export async function runStandard(call: Call, input: string): Promise<ExecutionEnd> {
  const { signal, machine, stopOnAbort } = call;
  signal.throwIfAborted();
  const name = randomUUID();
  const executionArn = machine.executionArn(name);
  try {
    call.setExecution(executionArn);
    const startDate = await start(call, name, input);
    call.report({ event: 'started', executionArn, time: startDate?.getTime() });
    return await follow(call, executionArn);
  } catch (error) {
    if (signal.aborted && stopOnAbort) await stop(call, executionArn);
    throw error;
  }
}

/** The name is new, so the second of two equal requests finds the execution of the first one. */
async function start(call: Call, name: string, input: string): Promise<Date | undefined> {
  const { stepFunctions, stateMachineArn, signal, stopOnAbort } = call;
  const backoff = new Backoff(call.pollInterval);
  for (;;) {
    try {
      // An aborted request may have started the execution, or start it after it was stopped.
      const ends = stopOnAbort ? undefined : signal;
      const { startDate } = await stepFunctions.startExecution({ stateMachineArn, name, input }, ends);
      return startDate;
    } catch (error) {
      // The execution of an earlier attempt has ended already.
      if (error instanceof Error && error.name === 'ExecutionAlreadyExists') return undefined;
      if (!mayRepeat(error, signal)) throw error;
      await pause(backoff.next(), signal);
    }
  }
}

async function follow(call: Call, executionArn: string): Promise<ExecutionEnd> {
  const { signal, stepFunctions, followsStates } = call;
  const backoff = new Backoff(call.pollInterval);
  const states = followsStates ? new StateEvents(call, executionArn) : undefined;
  for (;;) {
    await pause(backoff.next(), signal);
    try {
      const { status } = await stepFunctions.describeExecution(executionArn, 'METADATA_ONLY', signal);
      // Also after the end, for the events since the last pause.
      await states?.report();
      if (status === 'RUNNING') continue;
      return endOf(executionArn, await stepFunctions.describeExecution(executionArn, 'ALL_DATA', signal));
    } catch (error) {
      if (!mayRepeat(error, signal)) throw error;
      backoff.grow();
    }
  }
}

function mayRepeat(error: unknown, signal: AbortSignal): boolean {
  return !signal.aborted && (isTransient(error) || error instanceof InferenceTimeoutError);
}

function endOf(executionArn: string, description: DescribeExecutionOutput): ExecutionEnd {
  const { status, output, error, cause } = description;
  return { executionArn, status, output, error, cause };
}

async function stop({ stepFunctions }: Call, executionArn: string): Promise<void> {
  try {
    await stepFunctions.stopExecution(executionArn, 'the caller no longer waits for the result');
  } catch (error) {
    // It was never started.
    if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InferenceError(
      'NotStopped',
      `the wait has ended, and the execution could not be stopped: ${reason}: stop it yourself`,
      { executionArn, cause: error },
    );
  }
}
