/** `asl-validator` on resolved definitions: targets, reachable states, ARNs and the syntax of JSONata. */
import { createRequire } from 'node:module';
import type { JsonObject } from '../../../local/basics/json';
import { checkOf, type Finding } from '../check';
import { definitionsOf } from '../definitions';

type AslValidator = (definition: unknown) => { isValid: boolean; errorsText: (separator: string) => string };

// The package has no types that TypeScript finds.
const validate = createRequire(__filename)('asl-validator') as AslValidator;

export function aslErrors(place: string, definition: JsonObject): Finding[] {
  // The validator modifies its argument.
  const { isValid, errorsText } = validate(structuredClone(definition));
  if (isValid) return [];
  return errorsText('\n')
    .split('\n')
    .map((message) => ({ place, message }));
}

export const aslValidator = checkOf('asl-validator', (subject) =>
  definitionsOf(subject).flatMap(({ place, definition }) => aslErrors(place, definition)),
);
