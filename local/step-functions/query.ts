/** Compiles and evaluates JSONata templates: JSON in which strings of the form `{% … %}` are expressions. */
import jsonata from 'jsonata';
import { LocalCloudError, unsupported } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json } from '../json';
import { EvaluationError } from './state-error';
import { JSONATA_FUNCTIONS, STEP_FUNCTIONS } from './functions';

export type Query =
  | { readonly kind: 'literal'; readonly value: Json }
  | {
      readonly kind: 'expression';
      readonly field: string;
      readonly source: string;
      readonly expression: jsonata.Expression;
    }
  | { readonly kind: 'array'; readonly items: readonly Query[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Query])[] };

/** The values that an expression can read: `$states` and the assigned variables. */
export interface Scope {
  readonly states: {
    readonly input: Json;
    readonly result?: Json;
    readonly errorOutput?: Json;
    readonly context: Json;
  };
  readonly variables: ReadonlyMap<string, Json>;
}

/** Compiles a field's value before a run. @param variables all variables that the expressions can read */
export function compileQuery(value: Json, field: string, variables: ReadonlySet<string>): Query {
  if (isJsonArray(value)) {
    const items = value.map((item, at) => compileQuery(item, `${field}[${at}]`, variables));
    return { kind: 'array', items };
  }
  if (isJsonObject(value)) {
    const entries = entriesOf(value).map(
      ([name, item]) => [name, compileQuery(item, `${field}/${name}`, variables)] as const,
    );
    return { kind: 'object', entries };
  }
  if (typeof value !== 'string') return { kind: 'literal', value };
  const [opens, closes] = [value.startsWith('{%'), value.endsWith('%}')];
  if (!opens && !closes) return { kind: 'literal', value };
  if (!opens || !closes) {
    throw new LocalCloudError(
      `${field} is '${value}', expected '{%' and '%}' at its ends: close the expression`,
    );
  }
  const source = value.slice(2, -2).trim();
  return { kind: 'expression', field, source, expression: compileExpression(source, field, variables) };
}

/** Evaluates to plain JSON. @throws EvaluationError when that fails or the result is undefined */
export async function evaluate(query: Query, scope: Scope): Promise<Json> {
  switch (query.kind) {
    case 'literal':
      return query.value;
    case 'array':
      return Promise.all(query.items.map((item) => evaluate(item, scope)));
    case 'object': {
      const entries = query.entries.map(async ([name, item]) => [name, await evaluate(item, scope)] as const);
      return Object.fromEntries(await Promise.all(entries));
    }
    case 'expression':
      return evaluateExpression(query, scope);
  }
}

async function evaluateExpression(query: Query & { kind: 'expression' }, scope: Scope): Promise<Json> {
  const { expression, source, field } = query;
  const bindings = { ...Object.fromEntries(scope.variables), ...STEP_FUNCTIONS, states: scope.states };
  const at = `The JSONata expression '${source}' specified for the field '${field}'`;
  let result: unknown;
  try {
    result = await expression.evaluate(undefined, bindings);
  } catch (error) {
    throw new EvaluationError(`${at} threw an error during evaluation. ${messageOf(error)}`);
  }
  // Clone the result, because JSONata's arrays have hidden keys. Functions and undefined have no JSON.
  const text = JSON.stringify(result, withoutFunctions) as string | undefined;
  if (text === undefined) throw new EvaluationError(`${at} returned nothing (undefined).`);
  return JSON.parse(text) as Json;
}

/** The error of a query whose value has another type than expected, in the words of Step Functions */
export function unexpectedType(query: Query, field: string, expected: string, value: Json): EvaluationError {
  const subject =
    query.kind === 'expression'
      ? `The JSONata expression '${query.source}' specified for the field '${field}' returned an unexpected result type.`
      : `The field '${field}' has an unexpected type.`;
  const actual = value === null ? 'null' : isJsonArray(value) ? 'array' : typeof value;
  return new EvaluationError(
    `${subject} Expected '${expected}', but was '${actual}' for value: ${JSON.stringify(value)}`,
  );
}

/** Removes functions, which JSONata represents as objects that would become JSON. */
function withoutFunctions(_: string, value: unknown): unknown {
  const isFunction = isJsonObject(value) && ('_jsonata_function' in value || '_jsonata_lambda' in value);
  return isFunction ? undefined : value;
}

/** JSONata throws plain objects that have a message. */
function messageOf(error: unknown): string {
  const message = isJsonObject(error) ? error.message : undefined;
  return typeof message === 'string' ? message : String(error);
}

function compileExpression(
  source: string,
  field: string,
  variables: ReadonlySet<string>,
): jsonata.Expression {
  let expression: jsonata.Expression;
  try {
    expression = jsonata(source);
  } catch (error) {
    throw new LocalCloudError(
      `${field} is not JSONata, got '${messageOf(error)}' for '${source}': fix the expression`,
    );
  }
  const names = variableNames(expression.ast());
  for (const name of names.used) {
    const known = name === 'states' || Object.hasOwn(STEP_FUNCTIONS, name) || JSONATA_FUNCTIONS.has(name);
    if (known || names.bound.has(name) || variables.has(name)) continue;
    if (name === '' || name === '$') {
      if (names.nested) continue;
      throw unsupported(`$${name} outside of a nested expression in ${field}`, 'use $states');
    }
    throw unsupported(`the variable or function $${name} in ${field}`, 'assign it in an earlier state');
  }
  return expression;
}

interface VariableNames {
  readonly used: Set<string>;
  /** Names that the expression binds anywhere, by `:=` or as a parameter. */
  readonly bound: Set<string>;
  /** Whether the expression has a path. In the steps of a path, `$` means the current item. */
  nested: boolean;
}

/** All variable names in a syntax tree, which JSONata's types describe only in part. */
function variableNames(
  node: unknown,
  names: VariableNames = { used: new Set(), bound: new Set(), nested: false },
): VariableNames {
  if (Array.isArray(node)) {
    for (const child of node) variableNames(child, names);
    return names;
  }
  if (typeof node !== 'object' || node === null) return names;
  const { type, value, lhs, arguments: parameters } = node as Record<string, unknown>;
  if (type === 'path') names.nested = true;
  if (type === 'variable') names.used.add(String(value));
  if (type === 'bind') for (const name of variableNames(lhs).used) names.bound.add(name);
  if (type === 'lambda') for (const name of variableNames(parameters).used) names.bound.add(name);
  for (const child of Object.values(node)) variableNames(child, names);
  return names;
}
