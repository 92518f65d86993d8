/** Checks how far a model's local functions expand: ONNX Runtime copies the nodes of a function into each caller. */
import { SlicedInferenceError, quoted } from '../errors';
import { MAX_FUNCTION_DEPTH, MAX_INLINED_NODES } from './limits';
import { callKey } from './local-functions';
import type { LocalFunction, Node, OperatorUse } from './model';

/** The size of a function once it is copied into its caller. */
interface Inlined {
  /** Number of nodes, including those of the functions that it calls. */
  readonly nodes: number;
  /** Depth of calls: 1 for a function that calls no other. */
  readonly depth: number;
}

/**
 * @throws SlicedInferenceError when two functions have one name, a function calls itself, calls nest too deep, or calls
 * expand to too many nodes
 */
export function checkFunctions(functions: readonly LocalFunction[], nodes: readonly Node[]): void {
  if (functions.length === 0) return;
  const byKey = new Map<string, LocalFunction>();
  for (const fn of functions) {
    const key = callKey({ domain: fn.domain, opType: fn.name, overload: fn.overload });
    if (byKey.has(key)) {
      throw damaged(
        `function ${quoted(fn.name)} of domain ${quoted(fn.domain)} must be defined once`,
        'a second definition',
      );
    }
    byKey.set(key, fn);
  }
  const inlined = inlineAll(functions, (use) => byKey.get(callKey(use)));
  let total = 0;
  for (const { operators } of nodes) {
    for (const use of operators) {
      const fn = byKey.get(callKey(use));
      if (fn !== undefined) total += inlined.get(fn)?.nodes ?? 0;
    }
  }
  if (total <= MAX_INLINED_NODES) return;
  throw new SlicedInferenceError(
    `calls of functions must expand to at most ${MAX_INLINED_NODES} nodes`,
    total > Number.MAX_SAFE_INTEGER ? 'more than 2^53' : String(total),
    'export the model with fewer nested functions',
  );
}

function inlineAll(
  functions: readonly LocalFunction[],
  find: (use: OperatorUse) => LocalFunction | undefined,
): ReadonlyMap<LocalFunction, Inlined> {
  const done = new Map<LocalFunction, Inlined>();
  const open = new Set<LocalFunction>();
  for (const root of functions) {
    const stack = done.has(root) ? [] : [new Call(root)];
    for (let call = stack.at(-1); call !== undefined; call = stack.at(-1)) {
      const { fn } = call;
      open.add(fn);
      const callee = call.next(find, done);
      if (callee === undefined) {
        if (call.depth > MAX_FUNCTION_DEPTH) {
          throw damaged(
            `functions must call each other at most ${MAX_FUNCTION_DEPTH} deep`,
            `deeper calls from ${quoted(fn.name)}`,
          );
        }
        done.set(fn, call);
        open.delete(fn);
        stack.pop();
      } else if (open.has(callee)) {
        throw damaged(`function ${quoted(callee.name)} must not call itself`, 'a cycle of calls');
      } else stack.push(new Call(callee));
    }
  }
  return done;
}

/** A function whose operators are being counted. */
class Call implements Inlined {
  nodes = 0;
  depth = 1;
  private place = 0;

  constructor(readonly fn: LocalFunction) {}

  /** Counts operators until one calls a function that is not counted yet, and returns that function. */
  next(
    find: (use: OperatorUse) => LocalFunction | undefined,
    done: ReadonlyMap<LocalFunction, Inlined>,
  ): LocalFunction | undefined {
    for (; this.place < this.fn.operators.length; this.place++) {
      const callee = find(this.fn.operators[this.place]);
      const counted = callee && done.get(callee);
      if (callee !== undefined && counted === undefined) return callee;
      this.nodes += counted?.nodes ?? 1;
      this.depth = Math.max(this.depth, (counted?.depth ?? 0) + 1);
    }
    return undefined;
  }
}

function damaged(what: string, got: string): SlicedInferenceError {
  return new SlicedInferenceError(what, got, 'the file is damaged; export the model again');
}
