/** Time as the interpreter sees it, so that tests need not wait for retries and timeouts. */
import { setTimeout as delay } from 'node:timers/promises';

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
      // The timer's own AbortError hides the reason.
      signal.throwIfAborted();
      throw error;
    }
  },
};

/**
 * The work's outcome, or what `onTimeout` makes when it takes longer. The work is not stopped: neither does
 * Step Functions stop a function whose task timed out.
 */
export async function within<T>(
  clock: Clock,
  seconds: number | undefined,
  signal: AbortSignal,
  work: Promise<T>,
  onTimeout: () => Error,
): Promise<T> {
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const timer = seconds === undefined ? waitForAbort(stop) : clock.sleep(seconds * 1000, stop);
  try {
    return await Promise.race([
      work,
      timer.then(() => {
        throw onTimeout();
      }),
    ]);
  } finally {
    done.abort();
    // The loser of the race: its rejection has nobody else to hear it.
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
