/**
 * Validates a definition before anything runs. It accepts the subset of the Amazon States Language that the construct
 * emits, with JSONata, and refuses everything else by name. Expressions fail when they are evaluated. https://states-language.net
 */
import { LocalCloudError } from '../local-cloud-error';
import type { StateMachineType } from '../cloudformation/resources';
import { entriesOf, parseJson } from '../json';
import { type Definition, type StateGraph, allStates } from './definition';
import { FieldReader } from './field-reader';
import { MAX_DEFINITION_BYTES } from './limits';
import { StateParser } from './parse-state';

/** @param type of the state machine: only a Standard one can have distributed Maps */
export function parseDefinition(text: string, type: StateMachineType = 'STANDARD'): Definition {
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
  const timeoutSeconds = machine.optionalNumber(
    'TimeoutSeconds',
    'a positive integer',
    (seconds) => Number.isInteger(seconds) && seconds > 0,
  );
  const definition = { ...parseGraph(machine, { language, type }), timeoutSeconds };
  checkNames(definition);
  return definition;
}

function parseGraph(
  fields: FieldReader,
  { language, type }: { readonly language: string; readonly type: StateMachineType },
): StateGraph {
  const targets: (readonly [string, string])[] = [];
  const scope = {
    language,
    type,
    leadsTo: (place: string, target: string) => targets.push([place, target]),
    parseGraph: (inner: FieldReader, ofInner = type) => parseGraph(inner, { language, type: ofInner }),
  };
  const states = new Map(
    entriesOf(fields.object('States')).map(
      ([name, state]) => [name, new StateParser(name, state, scope).parse()] as const,
    ),
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
