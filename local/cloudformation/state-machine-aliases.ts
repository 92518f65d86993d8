/** The aliases of a stack's state machines. */
import { LocalCloudError } from '../local-cloud-error';
import { attributeOf } from './physical-ids';
import type { Template } from './template';

export interface StateMachineAliases {
  /** ARNs of state machines by the ARNs of their aliases. */
  readonly machines: ReadonlyMap<string, string>;
  /** Why the others are not there. */
  readonly notices: readonly string[];
}

/** @param template of its own, because an alias may refer to what the local cloud does not run */
export function readAliases(template: Template): StateMachineAliases {
  const machines = new Map<string, string>();
  const notices: string[] = [];
  for (const alias of template.resourcesOfType('AWS::StepFunctions::StateMachineAlias')) {
    try {
      const arn = attributeOf(template, alias, 'Arn');
      machines.set(arn, arn.slice(0, arn.lastIndexOf(':')));
    } catch (error) {
      if (!(error instanceof LocalCloudError)) throw error;
      notices.push(`the alias '${alias.logicalId}' of a state machine is not there: ${error.message}`);
    }
  }
  return { machines, notices };
}
