/** Which graphs a Parallel or a Map runs, on which inputs, and how many at once. */
import type { Json, JsonObject } from '../json';
import type { MapState, ParallelState, StateGraph } from './definition';
import { MAX_INLINE_CONCURRENCY } from './limits';
import type { Visit } from './visit';

interface ChildInput {
  readonly graph: StateGraph;
  readonly input: Json;
  /** Fields of the child's context object. */
  readonly context: JsonObject;
}

export interface ChildInputs {
  readonly children: readonly ChildInput[];
  readonly maxConcurrency: number;
}

export async function childInputs(state: ParallelState | MapState, visit: Visit): Promise<ChildInputs> {
  return state.type === 'Parallel' ? await branches(state, visit) : await iterations(state, visit);
}

async function branches(state: ParallelState, visit: Visit): Promise<ChildInputs> {
  const input = state.arguments === undefined ? visit.input : await visit.evaluate(state.arguments);
  return {
    children: state.branches.map((graph) => ({ graph, input, context: {} })),
    maxConcurrency: Infinity,
  };
}

async function iterations(state: MapState, visit: Visit): Promise<ChildInputs> {
  const { processor: graph, itemSelector } = state;
  const maxConcurrency = await concurrency(state, visit);
  const children: ChildInput[] = [];
  for (const [Index, Value] of (await visit.array(state.items, 'Items')).entries()) {
    const context = { Map: { Item: { Index, Value } } };
    const input = itemSelector === undefined ? Value : await visit.evaluate(itemSelector, {}, context);
    children.push({ graph, input, context });
  }
  return { children, maxConcurrency };
}

async function concurrency({ maxConcurrency }: MapState, visit: Visit): Promise<number> {
  const limits = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const requested = maxConcurrency ? await visit.integer(maxConcurrency, 'MaxConcurrency', limits) : 0;
  // 0 means no limit.
  return requested === 0 ? MAX_INLINE_CONCURRENCY : Math.min(requested, MAX_INLINE_CONCURRENCY);
}
