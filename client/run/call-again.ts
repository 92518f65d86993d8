/** Calls of a function, again and again as the state machine of a pipeline makes them: a function computes the same each time. */
import { DATA_FAULTS, DATA_RETRIES, SANDBOX_FAULTS, SANDBOX_RETRIES } from '../../contract/failures';
import { isThrottled } from '../aws/failures';
import { type Functions, describedBy } from '../aws/functions';
import type { Described } from '../description/pipeline-description';
import { type ExecutionEnd, outputOf } from '../failure-cause';
import type { Settings } from '../options';
import { Backoff, mayPass, type Repeating, repeated } from './call';
import { pause } from './wait';

/** Errors of the service while the function is not ready: `INACTIVE_FUNCTION_FAULTS` of the state machine of a pipeline. */
const NOT_READY = ['ResourceConflictException', 'CodeArtifactUserPendingException'];

/** Calls whose answer was lost, after which the function may go on computing, and its time costs money. */
const MOST_LOST = 2;

/** Milliseconds: those of a pipeline's state machine. */
const RETRY_PAUSES = { first: 1000, longest: 2000 };

export async function callAgain(call: Repeating, send: () => Promise<ExecutionEnd>): Promise<ExecutionEnd> {
  const backoff = new Backoff(RETRY_PAUSES);
  let lost = 0;
  const mayRepeat = (error: unknown): boolean => {
    const isRefused = isThrottled(error) || (error instanceof Error && NOT_READY.includes(error.name));
    return isRefused || (mayPass(error) && lost++ < MOST_LOST);
  };
  for (let retries = 0; ; retries++) {
    const end = await repeated(call, send, mayRepeat);
    if (retries >= mostRetries(end.error)) return end;
    await pause(Math.random() * backoff.next(2), call.signal);
  }
}

export async function describeFunction(
  functions: Functions,
  settings: Settings,
  signal: AbortSignal,
): Promise<Described> {
  const call = { context: { settings }, signal, setFailure: () => undefined };
  return describedBy(outputOf(await callAgain(call, () => functions.ask(signal))));
}

function mostRetries(error: string | undefined): number {
  if (error === undefined) return 0;
  if (SANDBOX_FAULTS.includes(error)) return SANDBOX_RETRIES;
  return DATA_FAULTS.includes(error) ? DATA_RETRIES : 0;
}
