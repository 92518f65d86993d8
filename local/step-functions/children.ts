/** The branches of a Parallel state or the iterations of a Map, which run concurrently. */
import type { Json } from '../json';
import { LinkedAbort } from './linked-abort';
import type { RunOptions } from './run-options';
import type { StartedChildren } from './visit';

interface Child {
  /** Continues from where the child is; a child that has ended only returns its output. */
  advance(options: RunOptions): Promise<Json>;
  rewind(): void;
}

export class Children implements StartedChildren {
  /** Those that have started. */
  private readonly children = new Map<number, Child>();

  constructor(
    private readonly create: readonly (() => Child)[],
    private readonly maxConcurrency: number,
  ) {}

  /** Runs the children that have not ended. The first one that fails stops the others. Returns all outputs in order. */
  async finish(options: RunOptions): Promise<Json[]> {
    const { signal } = options.environment;
    const stop = new LinkedAbort(signal);
    const environment = { ...options.environment, signal: stop.signal };
    const waiting = this.create.keys();
    const outputs: Json[] = [];
    let failure: { readonly error: unknown } | undefined;
    const lane = async (): Promise<void> => {
      for (const index of waiting) {
        if (environment.signal.aborted) return;
        const child = this.children.get(index) ?? this.create[index]();
        this.children.set(index, child);
        try {
          outputs[index] = await child.advance({ ...options, environment });
        } catch (error) {
          // The failures of the children that this stops are not reported.
          if (failure !== undefined) return;
          failure = { error };
          stop.abort(new Error('another branch has failed'));
        }
      }
    };
    const lanes = Math.min(this.create.length, this.maxConcurrency);
    await Promise.all(Array.from({ length: lanes }, lane));
    stop.unlink();
    signal.throwIfAborted();
    if (failure !== undefined) throw failure.error;
    return outputs;
  }

  rewind(): void {
    for (const child of this.children.values()) child.rewind();
  }
}
