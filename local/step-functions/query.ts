/** Compiles and evaluates JSONata templates: JSON in which strings of the form `{% … %}` are expressions. */
import jsonata from 'jsonata';
import { LocalCloudError } from '../local-cloud-error';
import { entriesOf, isJsonArray, isJsonObject, type Json } from '../json';
import { EvaluationError } from './state-error';
import { STEP_FUNCTIONS } from './functions';

export interface Query {
  /** Present if the template is a value without expressions that is neither a list nor an object. */
  readonly literal?: Json;
  /** The expression, if the template is one. */
  readonly source?: string;
  /** Evaluates to plain JSON. Rejects with an `EvaluationError` when that fails or the result is undefined. */
  readonly evaluate: (scope: Scope) => Promise<Json>;
}

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

export function compileQuery(value: Json, field: string): Query {
  if (isJsonArray(value)) {
    const items = value.map((item, at) => compileQuery(item, `${field}[${at}]`));
    return { evaluate: (scope) => Promise.all(items.map((item) => item.evaluate(scope))) };
  }
  if (isJsonObject(value)) {
    const fields = entriesOf(value).map(
      ([name, item]) => [name, compileQuery(item, `${field}/${name}`)] as const,
    );
    return {
      evaluate: async (scope) => {
        const entries = fields.map(async ([name, item]) => [name, await item.evaluate(scope)] as const);
        return Object.fromEntries(await Promise.all(entries));
      },
    };
  }
  const literal = { literal: value, evaluate: () => Promise.resolve(value) };
  if (typeof value !== 'string') return literal;
  const [opens, closes] = [value.startsWith('{%'), value.endsWith('%}')];
  if (!opens && !closes) return literal;
  if (!opens || !closes) {
    throw new LocalCloudError(
      `${field} is '${value}', expected '{%' and '%}' at its ends: close the expression`,
    );
  }
  const source = value.slice(2, -2).trim();
  const expression = compileExpression(source, field);
  return { source, evaluate: (scope) => evaluateExpression(expression, source, field, scope) };
}

async function evaluateExpression(
  expression: jsonata.Expression,
  source: string,
  field: string,
  scope: Scope,
): Promise<Json> {
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
    query.source !== undefined
      ? `The JSONata expression '${query.source}' specified for the field '${field}' returned an unexpected result type.`
      : `The field '${field}' has an unexpected type.`;
  return new EvaluationError(
    `${subject} Expected '${expected}', but was '${typeOf(value)}' for value: ${JSON.stringify(value)}`,
  );
}

export function typeOf(value: Json): string {
  if (value === null) return 'null';
  return isJsonArray(value) ? 'array' : typeof value;
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

function compileExpression(source: string, field: string): jsonata.Expression {
  try {
    return jsonata(source);
  } catch (error) {
    throw new LocalCloudError(
      `${field} is not JSONata, got '${messageOf(error)}' for '${source}': fix the expression`,
    );
  }
}
