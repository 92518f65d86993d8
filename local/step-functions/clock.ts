/** The interpreter's clock. Tests replace it, so that they need not wait for retries and timeouts. */
import { firstOf, LinkedAbort, pause } from '../../client/run/wait';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = { now: () => Date.now(), sleep: pause };

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
  const limited = [work];
  if (seconds !== undefined) {
    const timer = clock.sleep(seconds * 1000, ended.signal);
    limited.push(
      timer.then(() => {
        throw onTimeout();
      }),
    );
  }
  try {
    return await firstOf(limited, signal);
  } finally {
    ended.unlink();
    ended.abort(undefined);
    // Mark them as handled: the loser of the race may still reject.
    for (const each of limited) each.catch(() => undefined);
  }
}
