/** Which failed requests about a Standard execution are sent again, and how often. */
import { isThrottled, isTransient } from '../aws/failures';
import { InferenceTimeoutError } from '../errors';
import type { Call } from './call';

/**
 * Requests that may fail in a row before the wait ends. With the default pauses, they take more than a minute. Throttled ones do not count:
 * the service works, and the execution goes on.
 */
export const MOST_IN_ROW = 20;

export class Repeats {
  private inRow = 0;

  /** @param passes whether an error passes by itself, besides those of connections and services */
  constructor(
    private readonly call: Pick<Call, 'signal' | 'setFailure'>,
    private readonly passes: (error: unknown) => boolean = () => false,
  ) {}

  /** Returns if the request is to be sent again, otherwise throws its error. */
  failed(error: unknown): void {
    const { signal, setFailure } = this.call;
    if (signal.aborted || !(error instanceof Error) || !(this.passes(error) || mayPass(error))) throw error;
    if (!isThrottled(error) && ++this.inRow >= MOST_IN_ROW) throw error;
    setFailure(error);
  }

  succeeded(): void {
    this.inRow = 0;
    this.call.setFailure(undefined);
  }
}

/** Whether the same request may succeed later. The service may have done what it asks. */
export function mayPass(error: unknown): boolean {
  return isTransient(error) || error instanceof InferenceTimeoutError;
}
