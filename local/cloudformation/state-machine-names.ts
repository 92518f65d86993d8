/** By which names a user may choose a state machine, and by which one an error lists it. */
import { isJsonObject, type Json } from '../json';
import type { AssemblyStack } from './assembly';

export interface NamedStateMachine {
  readonly stack: AssemblyStack;
  readonly logicalId: string;
  readonly isPipeline: boolean;
}

/** The id that a pipeline gives its state machine, which its users did not choose. */
const PIPELINE_CHILD = 'StateMachine';

/** CDK appends eight digits to the ids of constructs, which nobody knows by heart. */
const HASH = /[0-9A-F]{8}$/;

/** The stack, and the logical id with or without the digits, alone or after the stack. */
export function templateNames({ stack, logicalId }: NamedStateMachine): readonly string[] {
  return [stack.name, ...inStack(stack, [logicalId, logicalId.replace(HASH, '')])];
}

/**
 * The id of the construct, its path inside the stack, and its path in the app. The template has the path unless the app turned path metadata
 * off. Then the logical id stands for it, in which CDK joins the ids of the path.
 */
export function constructNames(item: NamedStateMachine): readonly string[] {
  const ids = constructPath(item);
  return inStack(item.stack, [joinedIds(item), ...ids.map((_, from) => ids.slice(from).join('/'))]);
}

function inStack({ name }: AssemblyStack, names: readonly string[]): string[] {
  return [...names, ...names.map((each) => `${name}/${each}`)];
}

/** `Stack/Classifier`, by which a user recognizes the construct. */
export function label(item: NamedStateMachine): string {
  return `${item.stack.name}/${joinedIds(item)}`;
}

function joinedIds({ logicalId, isPipeline }: NamedStateMachine): string {
  const id = logicalId.replace(HASH, '');
  const outer = id.slice(0, -PIPELINE_CHILD.length);
  return isPipeline && outer !== '' && id.endsWith(PIPELINE_CHILD) ? outer : id;
}

/** `Prod/Ocr/Reader/StateMachine/Resource` of a pipeline is `[Prod, Ocr, Reader]`. */
function constructPath({ stack, logicalId, isPipeline }: NamedStateMachine): readonly string[] {
  let found: Json | undefined = stack.template;
  for (const key of ['Resources', logicalId, 'Metadata', 'aws:cdk:path']) {
    found = isJsonObject(found) ? found[key] : undefined;
  }
  if (typeof found !== 'string') return [];
  const ids = found.split('/');
  if (ids.at(-1) === 'Resource') ids.pop();
  if (isPipeline && ids.at(-1) === PIPELINE_CHILD) ids.pop();
  return ids;
}
