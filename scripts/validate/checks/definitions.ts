/** Validators of the definitions of state machines, as Step Functions gets them. */
import { createRequire } from 'node:module';
import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import { unassignedVariables, type StateMachineDefinition } from '../../../test/support/unassigned-variables';
import type { Check } from '../synthesize';
import { definitionsOf, type ResolvedDefinition } from '../resolve';

// The package has no types that TypeScript finds.
const validate = createRequire(__filename)('asl-validator') as (definition: unknown) => {
  isValid: boolean;
  errorsText: (separator: string) => string;
};
const service = getLanguageService({});

function definitionCheck(
  name: string,
  find: (definition: ResolvedDefinition) => readonly string[] | Promise<readonly string[]>,
): Check {
  return {
    name,
    find: async (subject) => {
      const all = definitionsOf(subject).map(async (definition) => {
        const messages = await find(definition);
        return messages.map((message) => ({ place: definition.place, message }));
      });
      return (await Promise.all(all)).flat();
    },
  };
}

/** Targets, reachable states, ARNs and the syntax of JSONata. */
export const aslValidator = definitionCheck('asl-validator', ({ definition }) => {
  // The validator modifies its argument.
  const { isValid, errorsText } = validate(structuredClone(definition));
  return isValid ? [] : errorsText('\n').split('\n');
});

/** The language service of AWS's editors, whose diagnostics count as errors. */
export const languageService = definitionCheck('language service', async ({ definition }) => {
  const text = JSON.stringify(definition, undefined, 1);
  const document = TextDocument.create('file:///definition.asl.json', 'json', 1, text);
  const found = await service.doValidation(document, service.parseJSONDocument(document));
  return found.map(({ message, range: { start } }) => {
    const line = text.split('\n').at(start.line) ?? '';
    const what = typeof message === 'string' ? message : message.value;
    return `line ${start.line + 1}, ${line.trim()}: ${what}`;
  });
});

/** Variables that an execution may read before it assigns them, which no other validator finds. */
export const variables = definitionCheck('variables', ({ definition }) =>
  unassignedVariables(definition as unknown as StateMachineDefinition).map(
    (variable) => `${variable} may be read before it is assigned`,
  ),
);
