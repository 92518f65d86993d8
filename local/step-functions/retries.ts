/** Decides whether and when a state is retried. */
import type { Retrier } from './definition';
import { matches } from './state-error';

/**
 * Seconds to wait before the next attempt; `undefined` if the error is not retried, or its attempts are used up.
 * @param attempts counts those of each retrier since the state was entered, and this one
 * @param random uniform in [0, 1)
 */
export function retryDelay(
  retriers: readonly Retrier[],
  attempts: Map<Retrier, number>,
  error: string | undefined,
  random: () => number,
): number | undefined {
  const retrier = retriers.find(({ errorEquals }) => matches(errorEquals, error));
  if (retrier === undefined) return undefined;
  const before = attempts.get(retrier) ?? 0;
  if (before >= retrier.maxAttempts) return undefined;
  attempts.set(retrier, before + 1);
  const { intervalSeconds, backoffRate, maxDelaySeconds = Infinity, jitterStrategy } = retrier;
  const delay = Math.min(intervalSeconds * backoffRate ** before, maxDelaySeconds);
  return jitterStrategy === 'FULL' ? delay * random() : delay;
}
