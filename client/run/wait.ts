/** Waits: for promises until a signal is aborted, and in a call until its time is over. */
import { setMaxListeners } from 'node:events';
import { InferenceTimeoutError } from '../errors';

/** Any number of calls may wait for one signal. Node.js would warn of more than ten. */
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

export function linkedController(outer: AbortSignal | undefined): {
  readonly controller: AbortController;
  readonly unlink: () => void;
} {
  const controller = sharedController();
  allowListeners(outer);
  const abort = (): void => {
    controller.abort(outer?.reason);
  };
  if (outer?.aborted === true) abort();
  else outer?.addEventListener('abort', abort, { once: true });
  return {
    controller,
    unlink: () => {
      outer?.removeEventListener('abort', abort);
    },
  };
}

/** Node.js has no longer timers. https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One wait. End it, so that neither its timer nor its listener stays. */
export class Wait {
  readonly signal: AbortSignal;
  private readonly controller: AbortController;
  private readonly timer: NodeJS.Timeout;
  private readonly unlink: () => void;

  constructor(outer: AbortSignal | undefined, ms: number, onTimeout: () => Error) {
    const { controller, unlink } = linkedController(outer);
    this.controller = controller;
    this.signal = controller.signal;
    this.unlink = unlink;
    const end = (): void => {
      controller.abort(onTimeout());
    };
    this.timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
  }

  abort(reason: Error): void {
    this.controller.abort(reason);
  }

  end(): void {
    clearTimeout(this.timer);
    this.unlink();
  }
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
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
