/** The branches of a Parallel state or the iterations of a Map, which run concurrently. */
import type { Json } from '../json';
import type { CompositeState, State } from './definition';
import { isTerminal, StateError } from './state-error';
import type { HistoryEventType } from './history';
import { LinkedAbort } from './linked-abort';
import type { RunOptions } from './run-options';

export interface Child {
  advance(options: RunOptions): Promise<Json>;
  /** The output, if the child has ended. */
  readonly output: Json | undefined;
  readonly lastEvent: number;
  /** The state that the child is in, or that failed. */
  readonly state: State | undefined;
  recordAbort(previousEventId: number): void;
  rewind(eventId: number): void;
}

/** Appends an event and returns its id. */
type Record = (type: HistoryEventType, previousEventId: number, index?: number) => number;

interface ChildrenOptions {
  readonly type: CompositeState['type'];
  readonly startedEvent: number;
  readonly maxConcurrency: number;
  readonly record: Record;
}

export class Children {
  private readonly children = new Map<number, Child>();
  /** The event after which the state that contains the children continues. */
  lastEvent: number;

  /** @param create creates a child whose first event follows the given one */
  constructor(
    private readonly create: readonly ((previousEventId: number) => Child)[],
    private readonly options: ChildrenOptions,
  ) {
    this.lastEvent = options.startedEvent;
  }

  /** Runs the children that have not ended. The first one that fails stops the others. Returns all outputs in order. */
  async finish(options: RunOptions): Promise<Json[]> {
    const { signal } = options.environment;
    const stop = new LinkedAbort(signal);
    const own = { ...options, environment: { ...options.environment, signal: stop.signal } };
    const waiting = this.create.keys();
    const failures: { readonly index: number; readonly error: unknown }[] = [];
    const lane = async (): Promise<void> => {
      for (const index of waiting) {
        if (stop.signal.aborted) return;
        try {
          await this.advance(index, own);
        } catch (error) {
          failures.push({ index, error });
          // Ends the other children. Their failures, which follow, are not reported.
          stop.abort(new BranchStopped());
        }
      }
    };
    const lanes = Math.min(this.create.length, this.options.maxConcurrency);
    await Promise.all(Array.from({ length: lanes }, lane));
    stop.unlink();
    signal.throwIfAborted();
    const first = failures.at(0);
    if (first !== undefined) this.fail(first.index, first.error);
    return this.create.map((_, index) => {
      const output = this.children.get(index)?.output;
      if (output === undefined) throw new Error(`child ${index} has no output`);
      return output;
    });
  }

  /** Prepares the children that have not ended to run again. */
  rewind(eventId: number): void {
    for (const child of this.children.values()) if (child.output === undefined) child.rewind(eventId);
    this.lastEvent = eventId;
  }

  /** Records that the children that have not ended are aborted, except the one that failed. */
  recordAbort(previousEventId: number, failed?: number): void {
    for (const [index, child] of [...this.children].sort(([a], [b]) => a - b)) {
      if (child.output !== undefined || index === failed) continue;
      if (this.options.type === 'Map') this.options.record('MapIterationAborted', previousEventId, index);
      child.recordAbort(previousEventId);
    }
  }

  private async advance(index: number, options: RunOptions): Promise<void> {
    const child = this.child(index);
    if (child.output !== undefined) return;
    await child.advance(options);
    this.lastEvent = child.lastEvent;
    if (this.options.type !== 'Map') return;
    this.lastEvent = this.options.record('MapIterationSucceeded', child.lastEvent, index);
  }

  private child(index: number): Child {
    const existing = this.children.get(index);
    if (existing !== undefined) return existing;
    const { type, startedEvent, record } = this.options;
    const previous = type === 'Map' ? record('MapIterationStarted', startedEvent, index) : startedEvent;
    const child = this.create[index](previous);
    this.children.set(index, child);
    return child;
  }

  /** Records the failure of one child and the abort of the others. Errors that nothing catches leave no such events. */
  private fail(failed: number, error: unknown): never {
    const child = this.children.get(failed);
    if (child === undefined || !(error instanceof StateError)) throw error;
    this.lastEvent = child.lastEvent;
    if (!isTerminal(error.error)) this.recordFailure(failed, child);
    throw error;
  }

  private recordFailure(failed: number, { lastEvent, state }: Child): void {
    const { type, record } = this.options;
    if (type === 'Map') record('MapIterationFailed', lastEvent, failed);
    if (state?.type === 'Task') record('TaskStateAborted', lastEvent);
    this.recordAbort(lastEvent, failed);
  }
}

/** Another branch or iteration of the same state has failed. */
class BranchStopped extends Error {
  constructor() {
    super('another branch has failed');
  }
}
