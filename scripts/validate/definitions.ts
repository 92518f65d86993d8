/** The definitions of a case's state machines, as Step Functions gets them. */
import { isJsonObject, type JsonObject } from '../../local/basics/json';
import { resourcesOf, type Templates } from './resolve';

export interface ResolvedDefinition {
  /** Stack and logical id. */
  readonly place: string;
  readonly text: string;
  readonly definition: JsonObject;
  readonly isExpress: boolean;
}

export function definitionsOf({ templates, resolved }: Templates): ResolvedDefinition[] {
  return templates.flatMap((template) =>
    resourcesOf(template, 'AWS::StepFunctions::StateMachine').map(({ logicalId, properties }) => {
      const text = resolved.text(template, properties.DefinitionString ?? null);
      const place = `${template.path}/${logicalId}`;
      const definition: unknown = JSON.parse(text);
      if (!isJsonObject(definition)) throw new Error(`the definition of ${place} is no JSON object`);
      return { place, text, definition, isExpress: properties.StateMachineType === 'EXPRESS' };
    }),
  );
}
