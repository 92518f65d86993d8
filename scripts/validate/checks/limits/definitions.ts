/** Sizes of state machines' definitions, and lengths of their states' names. */
import { MAX_DEFINITION_BYTES } from '../../../../lib/aws/quotas';
import {
  entriesOf,
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonObject,
} from '../../../../local/basics/json';
import type { Finding } from '../../check';
import { definitionsOf } from '../../definitions';
import { MAX_STATE_NAME_CHARACTERS, MAX_VARIABLE_NAME_CHARACTERS } from '../../quotas';
import { atMost } from './at-most';
import type { Templates } from '../../resolve';

export function definitionExcesses(subject: Templates): Finding[] {
  return definitionsOf(subject).flatMap(({ place, text, definition }) => [
    ...atMost(place, 'bytes of the definition', Buffer.byteLength(text), MAX_DEFINITION_BYTES),
    ...statesOf(definition).flatMap(([name, state]) => [
      ...atMost(`${place}/${name}`, "characters of a state's name", name.length, MAX_STATE_NAME_CHARACTERS),
      ...variablesOf(state).flatMap((variable) =>
        atMost(
          `${place}/${name}`,
          "characters of a variable's name",
          variable.length,
          MAX_VARIABLE_NAME_CHARACTERS,
        ),
      ),
    ]),
  ]);
}

function statesOf({ States }: JsonObject): [string, Json][] {
  if (!isJsonObject(States)) return [];
  return entriesOf(States).flatMap((entry) => [entry, ...branchesOf(entry[1]).flatMap(statesOf)]);
}

/** The variables that the state and its catches assign. */
function variablesOf(state: Json): string[] {
  if (!isJsonObject(state)) return [];
  const catches = state.Catch !== undefined && isJsonArray(state.Catch) ? state.Catch : [];
  return [state, ...catches].flatMap((assigning) =>
    isJsonObject(assigning) && isJsonObject(assigning.Assign) ? Object.keys(assigning.Assign) : [],
  );
}

function branchesOf(state: Json): JsonObject[] {
  const branches = isJsonObject(state) ? state.Branches : undefined;
  return branches !== undefined && isJsonArray(branches) ? branches.filter(isJsonObject) : [];
}
