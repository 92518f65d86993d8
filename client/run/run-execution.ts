/**
 * Runs an execution. An Express one is a request that is answered when it has ended. A Standard one is started, asked for its state until it
 * has ended, and stopped if the caller no longer waits.
 */
import { randomUUID } from 'node:crypto';
import type { DescribeExecutionOutput, HistoryEvent } from '@aws-sdk/client-sfn';
import { isThrottled } from '../aws/failures';
import { Backoff, type Call, mayPass, repeated } from './call';
import { callAgain } from './call-again';
import type { ExecutionEnd } from '../failure-cause';
import { pause } from './wait';
import { InferenceError } from '../errors';

export async function runExpress(call: Call, input: string): Promise<ExecutionEnd> {
  const { context, signal } = call;
  const { stepFunctions, name: stateMachineArn } = context;
  const start = () =>
    stepFunctions.startSyncExecution({ stateMachineArn, name: randomUUID(), input }, signal);
  call.report({ event: 'started' });
  // After an error that is not throttling, the execution may run.
  const { executionArn = '', status, output, error, cause } = await repeated(call, start, isThrottled);
  call.setExecution(executionArn);
  return { executionArn, status, output, error, cause };
}

export async function runFunction(call: Call, input: string): Promise<ExecutionEnd> {
  const { functions } = call.context;
  if (functions === undefined) throw new Error('the call is not that of a function');
  call.report({ event: 'started' });
  const end = await callAgain(call, () => functions.invoke(input, call.signal));
  call.setExecution(end.executionArn);
  return end;
}

export async function runStandard(call: Call, input: string): Promise<ExecutionEnd> {
  const { signal, context, options } = call;
  signal.throwIfAborted();
  const name = randomUUID();
  let executionArn = context.executionArn(name);
  try {
    const started = await start(call, name, input, executionArn);
    executionArn = started.executionArn;
    call.setExecution(executionArn);
    call.report({ event: 'started', executionArn, time: started.startDate?.getTime() });
    return await follow(call, executionArn);
  } catch (error) {
    if (signal.aborted && options.stopOnAbort) await stop(call, executionArn);
    throw error;
  }
}

function start(
  call: Call,
  /** It is new, so the second of two equal requests finds the execution of the first one. */
  name: string,
  input: string,
  executionArn: string,
): Promise<{ readonly executionArn: string; readonly startDate?: Date | undefined }> {
  const { context, options, signal } = call;
  const { stepFunctions, name: stateMachineArn } = context;
  return repeated(call, async () => {
    try {
      // An aborted request may have started the execution, or start it after it was stopped.
      const ends = options.stopOnAbort ? undefined : signal;
      const started = await stepFunctions.startExecution({ stateMachineArn, name, input }, ends);
      return { executionArn: started.executionArn ?? executionArn, startDate: started.startDate };
    } catch (error) {
      // The execution of an earlier attempt has ended already.
      if (error instanceof Error && error.name === 'ExecutionAlreadyExists') return { executionArn };
      // Step Functions has refused all others.
      if (signal.aborted || (mayPass(error) && !isThrottled(error))) call.setExecution(executionArn);
      throw error;
    }
  });
}

async function follow(call: Call, executionArn: string): Promise<ExecutionEnd> {
  const { signal, context, options } = call;
  const backoff = new Backoff(context.settings.pollInterval);
  const states = options.onProgress ? new StateEvents(call, executionArn) : undefined;
  const look = () => endOf(call, executionArn, states);
  for (;;) {
    await pause(backoff.next(), signal);
    const end = await repeated(call, look, (error) => mayPass(error) || isUnknown(error));
    if (end !== undefined) return end;
  }
}

/**
 * DescribeExecution is eventually consistent: it may not know an execution that has just started.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
 */
export function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.name === 'ExecutionDoesNotExist';
}

async function endOf(
  call: Call,
  executionArn: string,
  states: StateEvents | undefined,
): Promise<ExecutionEnd | undefined> {
  const { signal, context } = call;
  const { stepFunctions } = context;
  const known = await stepFunctions.describeExecution(executionArn, 'METADATA_ONLY', signal);
  // Also after the end, for the events since the last pause.
  await states?.report();
  if (isRunning(known)) return undefined;
  const end = await stepFunctions.describeExecution(executionArn, 'ALL_DATA', signal);
  // The second answer may be older than the first one.
  if (isRunning(end)) return undefined;
  const { status, output, error, cause } = end;
  return { executionArn, status, output, error, cause };
}

export function isRunning({ status }: Pick<DescribeExecutionOutput, 'status'>): boolean {
  return status === 'RUNNING' || status === 'PENDING_REDRIVE';
}

async function stop({ context }: Call, executionArn: string): Promise<void> {
  try {
    await context.stepFunctions.stopExecution(executionArn, 'the caller no longer waits for the result');
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

class StateEvents {
  private lastId = 0;

  constructor(
    private readonly call: Call,
    private readonly executionArn: string,
  ) {}

  async report(): Promise<void> {
    const { call, executionArn } = this;
    for (const event of (await this.newEvents()).reverse()) {
      const { stateEnteredEventDetails: entered, stateExitedEventDetails: exited } = event;
      const about = { time: event.timestamp?.getTime(), executionArn };
      if (entered?.name !== undefined) call.report({ event: 'stateEntered', state: entered.name, ...about });
      else if (exited?.name !== undefined)
        call.report({ event: 'stateExited', state: exited.name, ...about });
    }
  }

  /** The latest first: a history has up to 25,000 events, and the earlier ones are known. */
  private async newEvents(): Promise<HistoryEvent[]> {
    const { call, executionArn, lastId } = this;
    const found: HistoryEvent[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call.context.stepFunctions.latestEvents(executionArn, nextToken, call.signal);
      const events = (page.events ?? []).filter(({ id = 0 }) => id > lastId);
      found.push(...events);
      nextToken = events.length === page.events?.length ? page.nextToken : undefined;
    } while (nextToken !== undefined);
    this.lastId = found.at(0)?.id ?? lastId;
    return found;
  }
}
