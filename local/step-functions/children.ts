/** The branches of a Parallel state or the iterations of a Map, which run concurrently. */
import { inParallel } from '../../lambda/store/ranged-read';
import type { Json, JsonObject } from '../json';
import type { MapState, ParallelState, StateGraph } from './definition';
import { MAX_INLINE_CONCURRENCY } from './limits';
import { LinkedAbort } from '../../client/run/wait';
import type { RunOptions } from './run-options';
import type { StartedChildren, Visit } from './visit';

interface ChildInput {
  readonly graph: StateGraph;
  readonly input: Json;
  /** Fields of the child's context object. */
  readonly context: JsonObject;
}

export async function branches(state: ParallelState, visit: Visit): Promise<ChildInput[]> {
  const input = state.arguments === undefined ? visit.input : await visit.evaluate(state.arguments);
  return state.branches.map((graph) => ({ graph, input, context: {} }));
}

export async function iterations(state: MapState, visit: Visit): Promise<ChildInput[]> {
  const { processor: graph, itemSelector } = state;
  const children: ChildInput[] = [];
  for (const [Index, Value] of (await visit.array(state.items, 'Items')).entries()) {
    const context = { Map: { Item: { Index, Value } } };
    const input = itemSelector === undefined ? Value : await visit.evaluate(itemSelector, {}, context);
    children.push({ graph, input, context });
  }
  return children;
}

export async function concurrency({ maxConcurrency }: MapState, visit: Visit): Promise<number> {
  const limits = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const requested = maxConcurrency ? await visit.integer(maxConcurrency, 'MaxConcurrency', limits) : 0;
  // 0 means no limit.
  return requested === 0 ? MAX_INLINE_CONCURRENCY : Math.min(requested, MAX_INLINE_CONCURRENCY);
}

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
    const outputs: Json[] = [];
    let failure: { readonly error: unknown } | undefined;
    await inParallel(this.create, this.maxConcurrency, async (create, index) => {
      if (environment.signal.aborted) return;
      const child = this.children.get(index) ?? create();
      this.children.set(index, child);
      try {
        outputs[index] = await child.advance({ ...options, environment });
      } catch (error) {
        // The failures of the children that this stops are not reported.
        if (failure !== undefined) return;
        failure = { error };
        stop.abort(new Error('another branch has failed'));
      }
    });
    stop.unlink();
    signal.throwIfAborted();
    if (failure !== undefined) throw failure.error;
    return outputs;
  }

  rewind(): void {
    for (const child of this.children.values()) child.rewind();
  }
}
