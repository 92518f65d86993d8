/** Waits for promises until a signal is aborted, and links signals. */
import { setMaxListeners } from 'node:events';

/** Any number of calls may wait for one signal. Node.js would warn of more than ten. */
function allowListeners(signal: AbortSignal | undefined): void {
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
}

/** A controller for whose signal any number of calls may wait. */
export function sharedController(): AbortController {
  const controller = new AbortController();
  allowListeners(controller.signal);
  return controller;
}

/** Resolves like the first of the promises. Rejects with the signal's reason if it is aborted before. */
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

/** A controller that an outer signal aborts too, until it is unlinked. */
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
