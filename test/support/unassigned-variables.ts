/**
 * Finds variables that a state machine may read before it assigns them. No validator finds this error, and only an
 * execution that takes such a path fails.
 */
import jsonata from 'jsonata';

export interface StateMachineDefinition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Catch?: readonly Catcher[];
  readonly Choices?: readonly Pick<Catcher, 'Next' | 'Assign'>[];
  readonly Default?: string;
  readonly Branches?: readonly StateMachineDefinition[];
  readonly ItemProcessor?: StateMachineDefinition & { readonly ProcessorConfig: { readonly Mode: string } };
  readonly [field: string]: unknown;
}

interface Catcher {
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Returns `state: variable` for each variable that some path to the state that reads it does not assign. */
export function unassignedVariables(
  machine: StateMachineDefinition,
  initial: ReadonlySet<string> = new Set(),
): string[] {
  const before = assignedBefore(machine, initial);
  return Object.entries(machine.States).flatMap(([name, state]) => {
    const assigned = before.get(name) ?? initial;
    const { Branches = [], ItemProcessor: processor, ...own } = state;
    // Children of a distributed map cannot read outer variables.
    const outer = processor?.ProcessorConfig.Mode === 'DISTRIBUTED' ? new Set<string>() : assigned;
    const missing = [...readVariables(own)].filter((variable) => !assigned.has(variable));
    return [
      ...missing.map((variable) => `${name}: ${variable}`),
      ...Branches.flatMap((branch) => unassignedVariables(branch, assigned)),
      ...(processor === undefined ? [] : unassignedVariables(processor, outer)),
    ];
  });
}

/** By state: the variables that every path to it assigns. */
function assignedBefore(
  { StartAt, States }: StateMachineDefinition,
  initial: ReadonlySet<string>,
): Map<string, ReadonlySet<string>> {
  const before = new Map<string, ReadonlySet<string>>([[StartAt, initial]]);
  const pending = [StartAt];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const assigned = before.get(name) ?? initial;
    for (const { to, assign } of transitions(States[name])) {
      const arriving = new Set([...assigned, ...Object.keys(assign)]);
      const known = before.get(to);
      const both = known === undefined ? arriving : new Set([...known].filter((v) => arriving.has(v)));
      if (known?.size === both.size) continue;
      before.set(to, both);
      pending.push(to);
    }
  }
  return before;
}

function transitions({ Next, Assign = {}, Catch = [], Choices = [], Default }: State): readonly {
  readonly to: string;
  readonly assign: Readonly<Record<string, unknown>>;
}[] {
  return [
    ...(Next === undefined ? [] : [{ to: Next, assign: Assign }]),
    ...(Default === undefined ? [] : [{ to: Default, assign: Assign }]),
    // After a caught error, the assignments of the state itself do not happen.
    ...[...Catch, ...Choices].map((rule) => ({ to: rule.Next, assign: rule.Assign ?? {} })),
  ];
}

/** Returns the names of the variables that the JSONata expressions in a value read. */
export function readVariables(value: unknown): Set<string> {
  if (typeof value === 'string') {
    const expression = /^\{%(.*)%\}$/s.exec(value)?.[1];
    return expression === undefined ? new Set() : freeVariables(jsonata(expression).ast());
  }
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(Object.values(value).flatMap((item) => [...readVariables(item)]));
}

/** Variables that are always defined: the context of the state, and the value at which a path starts. */
const PREDEFINED = new Set(['states', '']);

function freeVariables(ast: unknown): Set<string> {
  const read = new Set<string>();
  const bound = new Set(PREDEFINED);
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const { type, value, lhs, procedure, arguments: parameters } = node as Record<string, unknown>;
    if (type === 'variable') read.add(String(value));
    if (type === 'bind') bound.add(String((lhs as { value: unknown }).value));
    if (type === 'lambda')
      for (const { value: parameter } of parameters as { value: unknown }[]) bound.add(String(parameter));
    // `$join(...)` calls a built-in function, unless the expression defines a function of that name.
    const isCall = type === 'function' && (procedure as { type: string }).type === 'variable';
    for (const [field, child] of Object.entries(node)) if (!(isCall && field === 'procedure')) visit(child);
  };
  visit(ast);
  return new Set([...read].filter((name) => !bound.has(name)));
}
