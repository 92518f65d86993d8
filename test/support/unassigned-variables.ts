/**
 * Finds variables that a state machine may read before it assigns them: an error that no validator sees and that
 * only the run which takes that path would meet.
 */
import jsonata from 'jsonata';

export interface StateMachineDefinition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Catch?: readonly Catcher[];
  readonly Choices?: readonly Pick<Catcher, 'Next' | 'Assign'>[];
  readonly Default?: string;
  readonly Branches?: readonly StateMachineDefinition[];
  readonly [field: string]: unknown;
}

interface Catcher {
  readonly Next: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** `state: variable` for each variable that is not assigned on every way to the state that reads it. */
export function unassignedVariables(
  machine: StateMachineDefinition,
  given: ReadonlySet<string> = new Set(),
): string[] {
  const before = assignedBefore(machine, given);
  return Object.entries(machine.States).flatMap(([name, state]) => {
    const assigned = before.get(name) ?? given;
    const { Branches = [], ...own } = state;
    const missing = [...readVariables(own)].filter((variable) => !assigned.has(variable));
    return [
      ...missing.map((variable) => `${name}: ${variable}`),
      ...Branches.flatMap((branch) => unassignedVariables(branch, assigned)),
    ];
  });
}

/** By state: the variables that every way to it assigns. */
function assignedBefore(
  { StartAt, States }: StateMachineDefinition,
  given: ReadonlySet<string>,
): Map<string, ReadonlySet<string>> {
  const before = new Map<string, ReadonlySet<string>>([[StartAt, given]]);
  const pending = [StartAt];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const assigned = before.get(name) ?? given;
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
    // A caught error drops what the state itself would have assigned.
    ...[...Catch, ...Choices].map((rule) => ({ to: rule.Next, assign: rule.Assign ?? {} })),
  ];
}

/** Names of the variables that the JSONata expressions inside a value read. */
export function readVariables(value: unknown): Set<string> {
  if (typeof value === 'string') {
    const expression = /^\{%(.*)%\}$/s.exec(value)?.[1];
    return expression === undefined ? new Set() : freeVariables(jsonata(expression).ast());
  }
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(Object.values(value).flatMap((item) => [...readVariables(item)]));
}

/** The state's own context, and the value that a path starts from. */
const ALWAYS_THERE = new Set(['states', '']);

function freeVariables(ast: unknown): Set<string> {
  const read = new Set<string>();
  const bound = new Set(ALWAYS_THERE);
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
    // `$join(...)` calls a function of the language unless the expression defines one of that name.
    const isCall = type === 'function' && (procedure as { type: string }).type === 'variable';
    for (const [field, child] of Object.entries(node)) if (!(isCall && field === 'procedure')) visit(child);
  };
  visit(ast);
  return new Set([...read].filter((name) => !bound.has(name)));
}
