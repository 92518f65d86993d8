/** Finds state machines in an assembly by name: those of pipelines, whose comment has a signature, and those of the user. */
import { SIGNATURE_KEY } from '../../contract/signature';
import { quoted } from '../../lib/errors';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json';
import { LocalCloudError } from '../local-cloud-error';
import type { AssemblyStack } from './assembly';
import type { Resource } from './resource';
import { readStateMachine, type StateMachineResource } from './resources';
import { Template } from './template';

/** What a pipeline's state machine says about itself in its comment. */
export interface Signature {
  /** The pipeline's bucket. */
  readonly bucket: string;
  /** The deployment's digest, inputs and outputs, and so on. */
  readonly signature: JsonObject;
}

export interface Selection {
  readonly stack: AssemblyStack;
  readonly logicalId: string;
}

/**
 * The assembly's only pipeline, or the state machine that `selection` names: by the construct's id or path, by stack, by logical id with or
 * without the digits that CDK appends, or by both as `stack/logicalId`. The name of a stack stands for its only pipeline, or else for its only
 * state machine.
 * @throws LocalCloudError when there is not exactly one such state machine
 */
export function selectStateMachine(stacks: readonly AssemblyStack[], selection?: string): Selection {
  const all = stacks.flatMap((stack) =>
    new Template(stack)
      .resourcesOfType('AWS::StepFunctions::StateMachine')
      .map((resource) => ({ stack, logicalId: resource.logicalId, isPipeline: isPipeline(resource) })),
  );
  const pipelines = pipelinesOf(all);
  const selected = selection === undefined ? pipelines : named(all, selection);
  const [only] = selected;
  if (selected.length === 1) return only;
  if (selection === undefined && pipelines.length === 0) {
    throw new LocalCloudError(
      'the assembly must have a pipeline, got no state machine of a SlicedInferencePipeline: ' +
        'pass the assembly of an app that has one, or name one of your state machines',
    );
  }
  const kind = selection === undefined ? 'pipelines' : `state machines named ${quoted(selection)}`;
  const found =
    selected.length === 0 ? `no ${kind.replace('machines', 'machine')}` : `${selected.length} ${kind}`;
  const choices = selected.length === 0 ? [...new Set([...pipelines, ...all])] : selected;
  throw new LocalCloudError(`the assembly has ${found}: ${advice(choices)}`);
}

/** Names of the template come first: a construct elsewhere in the app may have the id of a stack. Pipelines come before others. */
function named(all: readonly NamedStateMachine[], selection: string): readonly NamedStateMachine[] {
  const byTemplate = all.filter((item) => templateNames(item).includes(selection));
  const chosen =
    byTemplate.length > 0 ? byTemplate : all.filter((item) => constructNames(item).includes(selection));
  const pipelines = pipelinesOf(chosen);
  return pipelines.length === 0 ? chosen : pipelines;
}

function pipelinesOf(items: readonly NamedStateMachine[]): NamedStateMachine[] {
  return items.filter((item) => item.isPipeline);
}

/** Two constructs have the same label only if their paths differ in the places of the slashes. */
function advice(choices: readonly NamedStateMachine[]): string {
  if (choices.length === 0) return 'pass the assembly of an app that has one';
  const labels = choices.map(label);
  const unique = choices.map(({ stack, logicalId }, at) =>
    labels.indexOf(labels[at]) === labels.lastIndexOf(labels[at]) ? labels[at] : `${stack.name}/${logicalId}`,
  );
  return `choose one of ${unique.join(', ')} with --pipeline, or in code with the option pipeline`;
}

export function selectPipeline(stacks: readonly AssemblyStack[], selection?: string): Signature {
  const { stack, logicalId } = selectStateMachine(stacks, selection);
  const template = new Template(stack);
  const resource = template.resource(logicalId);
  if (isPipeline(resource)) return readSignature(readStateMachine(template, resource));
  throw new LocalCloudError(
    `'${logicalId}' must be the state machine of a pipeline, got one of your own: pass it JSON with \`sliced-inference run --input-json\``,
  );
}

/** Whether the state machine is that of a pipeline. It is not resolved, because it may refer to anything. */
export function isPipeline({ properties }: Resource): boolean {
  return JSON.stringify(properties.DefinitionString ?? '').includes(SIGNATURE_KEY);
}

export function readSignature(stateMachine: StateMachineResource): Signature {
  const definition = parseJson(stateMachine.definition);
  const comment =
    isJsonObject(definition) && typeof definition.Comment === 'string' ? definition.Comment : '';
  const content = parseJson(comment);
  const signature = isJsonObject(content) ? content[SIGNATURE_KEY] : undefined;
  if (isJsonObject(signature) && typeof signature.bucket === 'string') {
    return { bucket: signature.bucket, signature };
  }
  throw new LocalCloudError(
    `the comment of state machine '${stateMachine.logicalId}' has no valid pipeline signature: synthesize the assembly again`,
  );
}

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

/** By paths of constructs, without which (the app may turn that metadata off) the logical id stands for its joined ids. */
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
