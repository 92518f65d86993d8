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
import { MAX_STATE_NAME_CHARACTERS } from '../../quotas';
import { atMost } from './at-most';
import type { Templates } from '../../resolve';

export function definitionExcesses(subject: Templates): Finding[] {
  return definitionsOf(subject).flatMap(({ place, text, definition }) => [
    ...atMost(place, 'bytes of the definition', Buffer.byteLength(text), MAX_DEFINITION_BYTES),
    ...stateNames(definition).flatMap((name) =>
      atMost(`${place}/${name}`, "characters of a state's name", name.length, MAX_STATE_NAME_CHARACTERS),
    ),
  ]);
}

function stateNames({ States }: JsonObject): string[] {
  if (!isJsonObject(States)) return [];
  return entriesOf(States).flatMap(([name, state]) => [name, ...branchesOf(state).flatMap(stateNames)]);
}

function branchesOf(state: Json): JsonObject[] {
  const branches = isJsonObject(state) ? state.Branches : undefined;
  return branches !== undefined && isJsonArray(branches) ? branches.filter(isJsonObject) : [];
}
