/** Finds the local functions of a model that an operator calls. */
import type { LocalFunction, Model, Node, OperatorUse } from './model';

/** A key that a call and the function that it calls share. */
export function callKey(call: Pick<OperatorUse, 'domain' | 'opType' | 'overload'>): string {
  return JSON.stringify([call.domain, call.opType, call.overload]);
}

/** The model's local functions by `callKey`. */
export function functionsByKey(model: Model): ReadonlyMap<string, LocalFunction> {
  return new Map(
    model.functions.map((fn) => [callKey({ domain: fn.domain, opType: fn.name, overload: fn.overload }), fn]),
  );
}

/** The local functions that the nodes call, directly or through other functions, in the model's order. */
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
