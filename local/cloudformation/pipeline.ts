/** Finds state machines in an assembly by name: those of pipelines, whose comment has a signature, and those of the user. */
import { BATCH_SIGNATURE_KEY } from '../../contract/batch';
import { SIGNATURE_KEY } from '../../contract/signature';
import { quoted } from '../../lib/errors';
import { isJsonObject, type JsonObject, parseJson, valueAt } from '../json';
import { LocalCloudError } from '../local-cloud-error';
import type { AssemblyStack } from './assembly';
import { FUNCTION_IDS, isCallable, readFunctionMachine } from './function-machine';
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

interface NamedStateMachine extends Selection {
  readonly isPipeline: boolean;
  /** Whether it is that of a pipeline or of a batch. */
  readonly isOfLibrary: boolean;
}

/** The id that pipelines and batches give their state machines, which their users did not choose. */
const CHILD = 'StateMachine';

/** CDK appends eight digits to the ids of constructs, which nobody knows by heart. */
const HASH = /[0-9A-F]{8}$/;

/**
 * The assembly's only pipeline, or the state machine that `selection` names: by the construct's id or path, by stack, by logical id with or
 * without the digits that CDK appends, or by both as `stack/logicalId`. Of several, a pipeline comes before others, so the name of a stack stands
 * for its only pipeline, or else for its only state machine.
 * @throws LocalCloudError when there is not exactly one such state machine
 */
export function selectStateMachine(stacks: readonly AssemblyStack[], selection?: string): Selection {
  const all = stacks.flatMap((stack) =>
    machinesOf(new Template(stack)).map((resource) => ({
      ...{ stack, logicalId: resource.logicalId, isPipeline: isPipeline(resource) },
      isOfLibrary: isPipeline(resource) || commentHas(resource, BATCH_SIGNATURE_KEY),
    })),
  );
  const pipelines = all.filter((item) => item.isPipeline);
  const named = selection === undefined ? [] : all.filter((item) => namesOf(item).includes(selection));
  const ofPipelines = selection === undefined ? pipelines : named.filter((item) => item.isPipeline);
  const selected = ofPipelines.length === 0 ? named : ofPipelines;
  const [only] = selected;
  if (selected.length === 1) return only;
  if (all.length === 0 || (selection === undefined && pipelines.length === 0)) {
    throw new LocalCloudError(
      'the assembly must have a pipeline or a function of this library, got none: ' +
        'pass the assembly of an app that has one, or name one of your state machines',
    );
  }
  const kind = selection === undefined ? 'pipelines' : `state machines named ${quoted(selection)}`;
  const found =
    selected.length === 0 ? `no ${kind.replace('machines', 'machine')}` : `${selected.length} ${kind}`;
  const choices = selected.length === 0 ? [...new Set([...pipelines, ...all])] : selected;
  throw new LocalCloudError(
    `the assembly has ${found}: choose one of ${choices.map(label).join(', ')} with --pipeline, or in code with the option pipeline`,
  );
}

export function selectPipeline(stacks: readonly AssemblyStack[], selection?: string): Signature {
  const { stack, logicalId } = selectStateMachine(stacks, selection);
  const template = new Template(stack);
  const resource = template.resource(logicalId);
  if (isPipeline(resource)) return readSignature(readMachine(template, resource));
  throw new LocalCloudError(
    `'${logicalId}' must be the state machine of a pipeline, got one of your own: pass it JSON with \`sliced-inference run --input-json\``,
  );
}

/** The state machines, and the functions that callers invoke. */
export function machinesOf(template: Template): Resource[] {
  return [
    ...template.resourcesOfType('AWS::StepFunctions::StateMachine'),
    ...template.resourcesOfType('AWS::Lambda::Alias').filter(isCallable),
  ];
}

export function readMachine(template: Template, resource: Resource): StateMachineResource {
  return (isCallable(resource) ? readFunctionMachine : readStateMachine)(template, resource);
}

/** Whether it is the state machine of a pipeline, or a function. It is not resolved, because it may refer to anything. */
export function isPipeline(resource: Resource): boolean {
  return isCallable(resource) || commentHas(resource, SIGNATURE_KEY);
}

function commentHas({ properties }: Resource, key: string): boolean {
  return JSON.stringify(properties.DefinitionString ?? '').includes(key);
}

export function readSignature(stateMachine: StateMachineResource): Signature {
  const comment = valueAt(parseJson(stateMachine.definition), ['Comment']);
  const signature = valueAt(parseJson(typeof comment === 'string' ? comment : ''), [SIGNATURE_KEY]);
  if (isJsonObject(signature) && typeof signature.bucket === 'string') {
    return { bucket: signature.bucket, signature };
  }
  throw new LocalCloudError(
    `the comment of state machine '${stateMachine.logicalId}' has no valid pipeline signature: synthesize the assembly again`,
  );
}

/** Without paths of constructs (the app may turn that metadata off), the logical id stands for their joined ids. */
function namesOf(item: NamedStateMachine): string[] {
  const { stack, logicalId } = item;
  const ids = constructPath(item);
  const paths = ids.map((_, from) => ids.slice(from).join('/'));
  const names = [logicalId, logicalId.replace(HASH, ''), joinedIds(item), ...paths];
  return [stack.name, ...names, ...names.map((name) => `${stack.name}/${name}`)];
}

/** `Stack/Classifier`, by which a user recognizes the construct. */
function label(item: NamedStateMachine): string {
  return `${item.stack.name}/${joinedIds(item)}`;
}

function joinedIds({ logicalId, isOfLibrary }: NamedStateMachine): string {
  const id = logicalId.replace(HASH, '');
  return isOfLibrary && id !== CHILD ? id.replace(/(StateMachine|ModelFunctionAlias)$/, '') : id;
}

/** `Prod/Ocr/Reader/StateMachine/Resource` of a pipeline or a batch is `[Prod, Ocr, Reader]`. */
function constructPath({ stack, logicalId, isOfLibrary }: NamedStateMachine): readonly string[] {
  const found = valueAt(stack.template, ['Resources', logicalId, 'Metadata', 'aws:cdk:path']);
  const ids = typeof found === 'string' ? found.split('/') : [];
  if (ids.at(-1) === 'Resource') ids.pop();
  const own = ids.at(-1) === CHILD ? [CHILD] : FUNCTION_IDS;
  if (isOfLibrary && own.every((id, index) => ids.at(index - own.length) === id)) ids.splice(-own.length);
  return ids;
}
