/** By which names a user may choose a state machine, and by which one an error lists it. */
import type { AssemblyStack } from './assembly';
import { isJsonObject } from '../json';

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
  const ids = new Set([logicalId, logicalId.replace(HASH, '')]);
  return [stack.name, ...[...ids].flatMap((id) => [id, `${stack.name}/${id}`])];
}

/**
 * The id of the construct, its path inside the stack, and its path in the app. The template has the path unless the app turned path metadata
 * off. Then the logical id stands for it, in which CDK joins the ids of the path.
 */
export function constructNames(item: NamedStateMachine): readonly string[] {
  const { stack } = item;
  const joined = joinedIds(item);
  const names = [joined, `${stack.name}/${joined}`];
  const ids = constructPath(item);
  if (ids === undefined) return names;
  const tails = ids.map((_, from) => ids.slice(from).join('/'));
  return [...names, ...tails, ...tails.map((tail) => `${stack.name}/${tail}`)];
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
function constructPath({ stack, logicalId, isPipeline }: NamedStateMachine): readonly string[] | undefined {
  const resources = stack.template.Resources;
  const resource = isJsonObject(resources) ? resources[logicalId] : undefined;
  const metadata = isJsonObject(resource) ? resource.Metadata : undefined;
  const path = isJsonObject(metadata) ? metadata['aws:cdk:path'] : undefined;
  if (typeof path !== 'string') return undefined;
  const ids = path.split('/');
  if (ids.at(-1) === 'Resource') ids.pop();
  if (isPipeline && ids.at(-1) === PIPELINE_CHILD) ids.pop();
  return ids;
}
