/** What the run of an execution knows of the call that it belongs to, and how its requests are repeated. */
import type { CallOptions, PollInterval, Settings } from '../options';
import type { InferenceProgress } from '../result';
import type { StateMachineArn } from '../description/descriptions';
import type { StepFunctions } from '../aws/step-functions';
import { isThrottled, isTransient } from '../aws/failures';
import { InferenceTimeoutError } from '../errors';

export interface CallContext {
  readonly stateMachineArn: string;
  readonly settings: Settings;
  readonly machine: StateMachineArn;
  readonly stepFunctions: StepFunctions;
}

export interface Call {
  readonly context: CallContext;
  readonly options: CallOptions;
  readonly signal: AbortSignal;
  report(progress: Omit<InferenceProgress, 'time'> & { readonly time?: number | undefined }): void;
  setExecution(executionArn: string | undefined): void;
  setFailure(failure: Error | undefined): void;
}

const GROWTH = 1.5;

export class Backoff {
  private current: number;

  constructor(private readonly interval: Required<PollInterval>) {
    this.current = Math.min(interval.first, interval.longest);
  }

  next(): number {
    const pause = this.current;
    this.grow();
    return pause;
  }

  /** Lengthens the next pauses, because the service refuses requests. */
  grow(): void {
    this.current = Math.min(this.current * GROWTH, this.interval.longest);
  }
}

/**
 * Requests that may fail in a row before the wait ends. With the default pauses, they take more than a minute. Throttled ones do not count:
 * the service works, and the execution goes on.
 */
const MOST_IN_ROW = 20;

export class Repeats {
  private inRow = 0;

  constructor(
    private readonly call: Pick<Call, 'signal' | 'setFailure'>,
    private readonly passes: (error: unknown) => boolean = () => false,
  ) {}

  failed(error: unknown): void {
    const { call } = this;
    if (call.signal.aborted || !(error instanceof Error) || !(this.passes(error) || mayPass(error)))
      throw error;
    if (!isThrottled(error) && ++this.inRow >= MOST_IN_ROW) throw error;
    call.setFailure(error);
  }

  succeeded(): void {
    this.inRow = 0;
    this.call.setFailure(undefined);
  }
}

export function mayPass(error: unknown): boolean {
  return isTransient(error) || error instanceof InferenceTimeoutError;
}
