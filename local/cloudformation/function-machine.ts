/** Functions that callers invoke themselves. They are read as state machines with one task, so that all else reads both alike. */
import { SIGNATURE_KEY } from '../../contract/signature';
import type { Resource } from './resource';
import { splitFunctionArn, type StateMachineResource } from './resources';
import type { Template } from './template';

/** Ids that the construct gives its function and the alias, which its users did not choose. */
export const FUNCTION_IDS = ['Model', 'Function', 'Alias'] as const;

/** Whether the resource is the alias of an `InferenceFunction`. It is not resolved, because it may refer to anything. */
export function isCallable({ type, metadata }: Resource): boolean {
  return type === 'AWS::Lambda::Alias' && metadata[SIGNATURE_KEY] !== undefined;
}

export function readFunctionMachine(template: Template, alias: Resource): StateMachineResource {
  // A reference, so that the template knows that the alias is used.
  const arn = template.text({ ...alias, properties: { Ref: { Ref: alias.logicalId } } }, 'Ref');
  const signature = template.resolve(alias.metadata[SIGNATURE_KEY] ?? null);
  const call = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true };
  const definition = {
    Comment: JSON.stringify({ [SIGNATURE_KEY]: signature }),
    QueryLanguage: 'JSONata',
    StartAt: 'Call',
    States: { Call: { ...call, Arguments: { FunctionName: arn, Payload: '{% $states.input %}' } } },
  };
  return {
    ...{
      logicalId: alias.logicalId,
      name: splitFunctionArn(arn).name,
      arn,
      type: 'EXPRESS',
      isFunction: true,
    },
    ...{ definition: JSON.stringify(definition), roleArn: undefined },
  };
}
