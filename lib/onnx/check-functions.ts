/** Checks a model's local functions: ONNX Runtime copies what a function does into each of its callers. */
import { SlicedInferenceError, quoted } from '../errors';
import { MAX_FUNCTION_DEPTH, MAX_INLINED_NODES } from './limits';
import { callKey } from './local-functions';
import type { LocalFunction, Node, OperatorUse } from './model';

/** What becomes of a function where it is called. */
interface Inlined {
  /** Nodes, those of the functions that it calls included. */
  readonly nodes: number;
  /** Calls inside of calls. */
  readonly depth: number;
}

/**
 * @throws SlicedInferenceError for two functions of one name, for functions that call themselves, and for calls that
 * go too deep or add up to too many nodes
 */
export function checkFunctions(functions: readonly LocalFunction[], nodes: readonly Node[]): void {
  if (functions.length === 0) return;
  const byKey = new Map<string, LocalFunction>();
  for (const fn of functions) {
    const key = callKey({ domain: fn.domain, opType: fn.name, overload: fn.overload });
    if (byKey.has(key)) {
      throw damaged(
        `function ${quoted(fn.name)} of domain ${quoted(fn.domain)} must be defined once`,
        'a second one',
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
    `calls of functions may stand for ${MAX_INLINED_NODES} nodes`,
    total > Number.MAX_SAFE_INTEGER ? 'more than 2^53' : String(total),
    'export the model with fewer functions in functions',
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
            `functions may call each other ${MAX_FUNCTION_DEPTH} deep`,
            `${quoted(fn.name)}, which goes deeper`,
          );
        }
        done.set(fn, call);
        open.delete(fn);
        stack.pop();
      } else if (open.has(callee)) {
        throw damaged(`function ${quoted(callee.name)} must not call itself`, 'a circle of calls');
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

  /** Counts on to the end, or up to a function that has to be counted before, and returns that. */
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
