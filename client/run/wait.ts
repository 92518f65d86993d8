/** Waits: for promises until a signal is aborted, and in a call until its time is over. */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { InferenceTimeoutError } from '../errors';

/** Any number of calls, executions and tasks may wait for one signal. Node.js would warn of more than ten. */
function allowListeners(signal: AbortSignal | undefined): void {
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
}

export function sharedController(): AbortController {
  const controller = new AbortController();
  allowListeners(controller.signal);
  return controller;
}

export async function firstOf<T>(
  promises: readonly Promise<T>[],
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await Promise.race(promises);
  signal.throwIfAborted();
  allowListeners(signal);
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([...promises, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * An abort that also follows another signal, until it is unlinked. `AbortSignal.any()` does the same, but Node.js 20 never
 * frees what it creates: 18 KB for each execution of four tasks.
 */
export class LinkedAbort extends AbortController {
  constructor(private readonly outer: AbortSignal | undefined) {
    super();
    allowListeners(this.signal);
    allowListeners(outer);
    if (outer?.aborted) this.follow();
    else outer?.addEventListener('abort', this.follow, { once: true });
  }

  /** Call it when the work has ended, so that the other signal no longer refers to it. */
  unlink(): void {
    this.outer?.removeEventListener('abort', this.follow);
  }

  private readonly follow = (): void => {
    this.abort(this.outer?.reason);
  };
}

/** Node.js has no longer timers. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One wait. End it, so that neither its timer nor its listener stays. */
export class Wait extends LinkedAbort {
  private readonly timer: NodeJS.Timeout;

  constructor(outer: AbortSignal | undefined, ms: number, onTimeout: () => Error) {
    super(outer);
    const stop = (): void => {
      this.abort(onTimeout());
    };
    this.timer = setTimeout(stop, Math.min(ms, MAX_TIMER_MS));
  }

  end(): void {
    clearTimeout(this.timer);
    this.unlink();
  }
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    // Throw the signal's reason, which the timer's own AbortError hides.
    signal.throwIfAborted();
    throw error;
  }
}

/**
 * Sends one request, with its repeats by the SDK.
 * @param name of the operation, for the error
 * @throws InferenceTimeoutError if there is no answer in time; the signal's reason if it is aborted
 */
export async function request<T>(
  name: string,
  { signal, ms }: { readonly signal: AbortSignal | undefined; readonly ms: number },
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () =>
    new InferenceTimeoutError(
      `${name} must answer within ${ms} ms, got no answer: raise requestTimeout or try again`,
    );
  const wait = new Wait(signal, ms, late);
  try {
    wait.signal.throwIfAborted();
    return await send(wait.signal);
  } catch (error) {
    // The SDK rejects with an error of its own.
    wait.signal.throwIfAborted();
    throw error;
  } finally {
    wait.end();
  }
}
