/** Decides whether and when a task is retried. Each retrier has its own count, which starts when the state is entered. */
import type { Retrier } from './definition';
import { matches } from './state-error';

export class Retries {
  private readonly attempts = new Map<Retrier, number>();
  /** Retries of the state so far, by all retriers. */
  count = 0;

  constructor(
    private readonly retriers: readonly Retrier[],
    /** Uniform in [0, 1). */
    private readonly random: () => number,
  ) {}

  /** Seconds to wait before the next attempt; `undefined` if the error is not retried, or its attempts are used up. */
  next(error: string | undefined): number | undefined {
    const retrier = this.retriers.find(({ errorEquals }) => matches(errorEquals, error));
    if (retrier === undefined) return undefined;
    const attempts = this.attempts.get(retrier) ?? 0;
    if (attempts >= retrier.maxAttempts) return undefined;
    this.attempts.set(retrier, attempts + 1);
    this.count++;
    const delay = Math.min(
      retrier.intervalSeconds * retrier.backoffRate ** attempts,
      retrier.maxDelaySeconds ?? Infinity,
    );
    return retrier.jitterStrategy === 'FULL' ? delay * this.random() : delay;
  }
}
