/** The memory of each slice's function, as the template of a pipeline has it. */
import { ENV } from '../../contract/environment';
import type { Pipeline } from '../cloudformation/pipeline';
import { findFunction, readFunction } from '../cloudformation/resources';
import { allStates } from '../step-functions/definition';
import { parseDefinition } from '../step-functions/parse-definition';

/** By slice, in Lambda's MB of 2^20 bytes. Functions of the user's own are no slices. */
export function sliceMemory({ template, stateMachine }: Pipeline): ReadonlyMap<number, number> {
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
