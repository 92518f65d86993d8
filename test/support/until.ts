/** Waits for something that another process or a server does, for a limited time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Much more than what is waited for ever takes, so that a slow machine does not fail a test. */
const LIMIT_MS = 60_000;

/** Looks again and again until the result is neither `undefined` nor `false`, and returns it. */
export async function until<T>(
  what: string,
  look: () => T | false | undefined | Promise<T | false | undefined>,
): Promise<T> {
  const end = Date.now() + LIMIT_MS;
  while (Date.now() < end) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(5);
  }
  throw new Error(`expected within ${LIMIT_MS / 1000} s: ${what}`);
}
