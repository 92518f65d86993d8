/** Finds the local functions of a model that an operator calls, and checks how far they expand. */
import { SlicedInferenceError, quoted } from '../errors';
import { MAX_FUNCTION_DEPTH, MAX_INLINED_NODES } from './limits';
import type { LocalFunction, Model, Node, OperatorUse } from './model';

export function callKey(call: Pick<OperatorUse, 'domain' | 'opType' | 'overload'>): string {
  return JSON.stringify([call.domain, call.opType, call.overload]);
}

export function functionsByKey({ functions }: Pick<Model, 'functions'>): ReadonlyMap<string, LocalFunction> {
  return new Map(
    functions.map((fn) => [callKey({ domain: fn.domain, opType: fn.name, overload: fn.overload }), fn]),
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

interface Inlined {
  readonly nodes: number;
  readonly depth: number;
}

export function checkFunctions(functions: readonly LocalFunction[], nodes: readonly Node[]): void {
  const byKey = functionsByKey({ functions });
  const kept = new Set(byKey.values());
  const second = functions.find((fn) => !kept.has(fn));
  if (second !== undefined) {
    const { name, domain } = second;
    throw damaged(
      `function ${quoted(name)} of domain ${quoted(domain)} must be defined once`,
      'a second definition',
    );
  }
  const known = new Map<LocalFunction, Inlined | 'open'>();
  const inlined = (fn: LocalFunction, root: LocalFunction, callers: number): Inlined => {
    const found = known.get(fn);
    if (found === 'open')
      throw damaged(`function ${quoted(fn.name)} must not call itself`, 'a cycle of calls');
    const calls = callers + (found?.depth ?? 1);
    if (calls > MAX_FUNCTION_DEPTH) {
      throw damaged(
        `functions must call each other at most ${MAX_FUNCTION_DEPTH} deep`,
        `deeper calls from ${quoted(root.name)}`,
      );
    }
    if (found !== undefined) return found;
    known.set(fn, 'open');
    let size: Inlined = { nodes: 0, depth: 1 };
    for (const use of fn.operators) {
      const callee = byKey.get(callKey(use));
      const part = callee === undefined ? { nodes: 1, depth: 0 } : inlined(callee, root, callers + 1);
      size = { nodes: size.nodes + part.nodes, depth: Math.max(size.depth, part.depth + 1) };
    }
    known.set(fn, size);
    return size;
  };
  for (const fn of functions) inlined(fn, fn, 0);
  let total = 0;
  for (const { operators } of functions.length === 0 ? [] : nodes) {
    for (const use of operators) {
      const fn = byKey.get(callKey(use));
      if (fn !== undefined) total += inlined(fn, fn, 0).nodes;
    }
  }
  if (total <= MAX_INLINED_NODES) return;
  throw new SlicedInferenceError(
    `calls of functions must expand to at most ${MAX_INLINED_NODES} nodes`,
    total > Number.MAX_SAFE_INTEGER ? 'more than 2^53' : String(total),
    'export the model with fewer nested functions',
  );
}

export function damaged(what: string, got: string): SlicedInferenceError {
  return new SlicedInferenceError(what, got, 'the file is damaged; export the model again');
}
