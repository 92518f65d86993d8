/** Variables that an execution may read before it assigns them, which no validator finds. */
import { unassignedVariables, type StateMachineDefinition } from '../../../test/support/unassigned-variables';
import { checkOf } from '../check';
import { definitionsOf } from '../definitions';

export const variables = checkOf('variables', (subject) =>
  definitionsOf(subject).flatMap(({ place, definition }) =>
    unassignedVariables(definition as unknown as StateMachineDefinition).map((variable) => ({
      place,
      message: `${variable} may be read before it is assigned`,
    })),
  ),
);
