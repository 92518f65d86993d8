/** The interpreter's clock. Tests replace it, so that they need not wait for retries and timeouts. */
import { setTimeout as delay } from 'node:timers/promises';
import { LinkedAbort } from './linked-abort';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, { signal });
    } catch (error) {
      // Throw the signal's reason, which the timer's own AbortError hides.
      signal.throwIfAborted();
      throw error;
    }
  },
};

/**
 * Returns the work's outcome, or throws the error of `onTimeout` when the work takes longer. The work is not stopped:
 * Step Functions does not stop a function whose task timed out either.
 */
export async function within<T>(
  clock: Clock,
  seconds: number | undefined,
  signal: AbortSignal,
  work: Promise<T>,
  onTimeout: () => Error,
): Promise<T> {
  const ended = new LinkedAbort(signal);
  const timer =
    seconds === undefined ? waitForAbort(ended.signal) : clock.sleep(seconds * 1000, ended.signal);
  try {
    return await Promise.race([
      work,
      timer.then(() => {
        throw onTimeout();
      }),
    ]);
  } finally {
    ended.unlink();
    ended.abort(undefined);
    // Mark both as handled: the loser of the race may still reject.
    work.catch(() => undefined);
    timer.catch(() => undefined);
  }
}

function waitForAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
