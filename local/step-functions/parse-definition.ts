/**
 * Validates a definition before anything runs. It accepts the subset of the Amazon States Language that the construct
 * emits, with JSONata, and refuses everything else by name. https://states-language.net
 */
import { LocalCloudError } from '../local-cloud-error';
import { entriesOf, isJsonObject, type Json, parseJson } from '../json';
import { type Definition, type StateGraph, allStates } from './definition';
import { FieldReader } from './field-reader';
import { MAX_DEFINITION_BYTES } from './limits';
import { StateParser } from './parse-state';

export function parseDefinition(text: string): Definition {
  if (Buffer.byteLength(text) > MAX_DEFINITION_BYTES) {
    throw new LocalCloudError(
      `the definition must have at most ${MAX_DEFINITION_BYTES} bytes, got more: use fewer states`,
    );
  }
  const value = parseJson(text);
  if (value === undefined)
    throw new LocalCloudError('the definition is not JSON: synthesize the assembly again');
  const machine = new FieldReader(value, 'the state machine');
  machine.optionalString('Version');
  const language = machine.optionalString('QueryLanguage') ?? 'JSONPath';
  const timeoutSeconds = machine.optionalNumber('TimeoutSeconds', 'a positive integer', isPositiveInteger);
  const definition = { ...parseGraph(machine, { language, outer: new Set() }), timeoutSeconds };
  checkNames(definition);
  return definition;
}

interface GraphScope {
  /** The machine's query language, which states have that name none. */
  readonly language: string;
  /** Variables of the enclosing states: the graph can read them but not assign variables of the same names. */
  readonly outer: ReadonlySet<string>;
}

function parseGraph(fields: FieldReader, { language, outer }: GraphScope): StateGraph {
  const entries = entriesOf(fields.object('States'));
  const own = entries.flatMap(([, state]) => assignedNames(state));
  const taken = own.find((name) => outer.has(name));
  if (taken !== undefined) {
    throw new LocalCloudError(
      `${fields.place} assigns the variable '${taken}', which an enclosing state also assigns: choose another name`,
    );
  }
  const variables = new Set([...outer, ...own]);
  const targets: (readonly [string, string])[] = [];
  const scope = {
    language,
    variables,
    leadsTo: (place: string, target: string) => targets.push([place, target]),
    parseGraph: (inner: FieldReader) => parseGraph(inner, { language, outer: variables }),
  };
  const states = new Map(
    entries.map(([name, state]) => [name, new StateParser(name, state, scope).parse()] as const),
  );
  const startAt = fields.string('StartAt');
  fields.refuseOthers();
  for (const [place, target] of [['the start', startAt] as const, ...targets]) {
    if (states.has(target)) continue;
    throw new LocalCloudError(`${place} leads to '${target}', got no such state: fix the definition`);
  }
  return { startAt, states };
}

/** State names must be unique in the whole machine, including branches. */
function checkNames(definition: Definition): void {
  const names = new Set<string>();
  for (const { name } of allStates(definition)) {
    if (names.has(name)) {
      throw new LocalCloudError(
        `the state name '${name}' must be unique, got two such states: rename one of them`,
      );
    }
    names.add(name);
  }
}

/** The variables that a state assigns, at its end, in a Catch or in a rule of a Choice. */
function assignedNames(state: Json): string[] {
  if (!isJsonObject(state)) return [];
  const alternatives = [state.Catch, state.Choices].flatMap((list) =>
    Array.isArray(list) ? (list as readonly Json[]) : [],
  );
  const own = isJsonObject(state.Assign) ? Object.keys(state.Assign) : [];
  return [...own, ...alternatives.flatMap(assignedNames)];
}

function isPositiveInteger(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
