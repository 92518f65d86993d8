/** What the run of an execution knows of the call that it belongs to, and how its requests are repeated. */
import type { CallOptions, PollInterval, Settings } from '../options';
import type { InferenceProgress } from '../result';
import type { StateMachineArn } from '../description/descriptions';
import type { Functions } from '../aws/functions';
import type { StepFunctions } from '../aws/step-functions';
import { isThrottled, isTransient } from '../aws/failures';
import { InferenceTimeoutError } from '../errors';
import { pause } from './wait';

export interface CallContext {
  /** ARN of the state machine or name of the function, as the caller has it. */
  readonly name: string;
  readonly settings: Settings;
  readonly stepFunctions: StepFunctions;
  /** How a Standard execution is called before Step Functions tells it. */
  readonly executionArn: StateMachineArn['executionArn'];
  /** Only of a function without a state machine. */
  readonly functions: Functions | undefined;
}

/** Whose requests are repeated. */
export interface Repeating {
  readonly context: { readonly settings: Pick<Settings, 'pollInterval'> };
  readonly signal: AbortSignal;
  setFailure(failure: Error | undefined): void;
}

export interface Call extends Repeating {
  readonly context: CallContext;
  readonly options: CallOptions;
  report(progress: Omit<InferenceProgress, 'time'> & { readonly time?: number | undefined }): void;
  setExecution(executionArn: string | undefined): void;
}

export class Backoff {
  private current: number;

  constructor(private readonly interval: Required<PollInterval>) {
    this.current = Math.min(interval.first, interval.longest);
  }

  next(growth = 1.5): number {
    const pause = this.current;
    this.current = Math.min(pause * growth, this.interval.longest);
    return pause;
  }
}

/**
 * Requests that may fail in a row before the wait ends. With the default pauses, they take more than a minute. Throttled ones do not count:
 * the service works, and the execution goes on.
 */
const MOST_IN_ROW = 20;

/** Sends a request until it is answered. */
export async function repeated<T>(
  call: Repeating,
  send: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean = mayPass,
): Promise<T> {
  const { context, signal } = call;
  const backoff = new Backoff(context.settings.pollInterval);
  for (let inRow = 0; ;) {
    try {
      const answer = await send();
      call.setFailure(undefined);
      return answer;
    } catch (error) {
      if (signal.aborted || !(error instanceof Error) || !mayRepeat(error)) throw error;
      if (!isThrottled(error) && ++inRow >= MOST_IN_ROW) throw error;
      call.setFailure(error);
      await pause(backoff.next(), signal);
    }
  }
}

export function mayPass(error: unknown): boolean {
  return isTransient(error) || error instanceof InferenceTimeoutError;
}
