/** Which of a model's local functions an operator calls. */
import type { LocalFunction, Model, Node, OperatorUse } from './model';

/** What a call and the function that it calls have in common. */
export function callKey(call: Pick<OperatorUse, 'domain' | 'opType' | 'overload'>): string {
  return JSON.stringify([call.domain, call.opType, call.overload]);
}

/** The model's local functions by `callKey`. */
export function functionsByKey(model: Model): ReadonlyMap<string, LocalFunction> {
  return new Map(
    model.functions.map((fn) => [callKey({ domain: fn.domain, opType: fn.name, overload: fn.overload }), fn]),
  );
}

/** The local functions that the nodes call, directly or not, in the model's order. */
export function calledFunctions(model: Model, nodes: readonly Node[]): LocalFunction[] {
  if (model.functions.length === 0) return [];
  const byKey = functionsByKey(model);
  const called = new Set<LocalFunction>();
  const pending = nodes.flatMap(({ operators }) => operators);
  for (let use = pending.pop(); use !== undefined; use = pending.pop()) {
    const fn = byKey.get(callKey(use));
    if (fn === undefined || called.has(fn)) continue;
    called.add(fn);
    for (const inner of fn.operators) pending.push(inner);
  }
  return model.functions.filter((fn) => called.has(fn));
}
