/** The memory of each slice's function, as the template of a pipeline has it. */
import { ENV } from '../../contract/environment';
import type { Selection } from '../cloudformation/pipeline';
import { PublishedVersions } from '../cloudformation/published-versions';
import { findFunction, readFunction, readStateMachine } from '../cloudformation/resources';
import { Template } from '../cloudformation/template';
import { allStates } from '../step-functions/definition';
import { parseDefinition } from '../step-functions/parse-definition';

/** By slice, in Lambda's MB of 2^20 bytes. Functions of the user's own are no slices. */
export function sliceMemory({ stack, logicalId }: Selection): ReadonlyMap<number, number> {
  const template = new Template(stack, new PublishedVersions());
  const stateMachine = readStateMachine(template, template.resource(logicalId));
  const memory = new Map<number, number>();
  for (const state of allStates(parseDefinition(stateMachine.definition))) {
    if (state.type !== 'Task') continue;
    const found = findFunction(template, state.functionName);
    if (found === undefined) continue;
    const { environment, memoryMegabytes } = readFunction(template, found.resource);
    if (!(ENV.deploymentDigest in environment)) continue;
    memory.set(Number(environment[ENV.slice]), memoryMegabytes);
  }
  return memory;
}
