/** Finds state machines in an assembly: those of pipelines, whose comment has a signature, and those of the user. */
import { SIGNATURE_KEY } from '../../contract/signature';
import type { AssemblyStack } from './assembly';
import { LocalCloudError } from '../basics/errors';
import { isJsonObject, type Json, type JsonObject } from '../basics/json';
import { readStateMachine, type StateMachineResource } from './resources';
import type { Resource } from './resource';
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
  /** Of the state machine. */
  readonly logicalId: string;
}

interface Candidate extends Selection {
  readonly isPipeline: boolean;
}

/**
 * The assembly's only pipeline, or the state machine that `selection` names: by stack, by logical id with or without the digits that CDK
 * appends, or by both as `stack/logicalId`. The name of a stack stands for its only pipeline, or else for its only state machine.
 * @throws LocalCloudError when there is not exactly one such state machine
 */
export function selectStateMachine(stacks: readonly AssemblyStack[], selection?: string): Selection {
  const all = stacks.flatMap(candidates);
  const pipelines = all.filter(({ isPipeline }) => isPipeline);
  const named = selection === undefined ? pipelines : all.filter((item) => names(item).includes(selection));
  const namedPipelines = named.filter(({ isPipeline }) => isPipeline);
  const selected = namedPipelines.length === 0 ? named : namedPipelines;
  const [only] = selected;
  if (selected.length === 1) return only;
  if (selection === undefined && pipelines.length === 0) {
    throw new LocalCloudError(
      'the assembly must have a pipeline, got no state machine of a SlicedInferencePipeline: ' +
        'pass the assembly of an app that has one, or name one of your state machines',
    );
  }
  const found = all.map(({ stack, logicalId }) => `${stack.name}/${logicalId}`).join(', ');
  const got =
    selection === undefined
      ? `has ${pipelines.length} pipelines`
      : `has ${selected.length} named '${selection}'`;
  throw new LocalCloudError(`the assembly ${got}, expected one: choose one of ${found}`);
}

/**
 * The same for a caller that needs a pipeline.
 * @throws LocalCloudError when the state machine is the user's own
 */
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

/** @throws LocalCloudError when the state machine's comment has no signature */
export function readSignature(stateMachine: StateMachineResource): Signature {
  const definition = parse(stateMachine.definition);
  const comment =
    isJsonObject(definition) && typeof definition.Comment === 'string' ? definition.Comment : '';
  const content = parse(comment);
  const signature = isJsonObject(content) ? content[SIGNATURE_KEY] : undefined;
  if (isJsonObject(signature) && typeof signature.bucket === 'string') {
    return { bucket: signature.bucket, signature };
  }
  throw new LocalCloudError(
    `the comment of state machine '${stateMachine.logicalId}' has no valid pipeline signature: synthesize the assembly again`,
  );
}

function candidates(stack: AssemblyStack): Candidate[] {
  return new Template(stack)
    .resourcesOfType('AWS::StepFunctions::StateMachine')
    .map((resource) => ({ stack, logicalId: resource.logicalId, isPipeline: isPipeline(resource) }));
}

/** CDK appends eight digits to the ids of constructs, which nobody knows by heart: they may be left out. */
function names({ stack, logicalId }: Candidate): string[] {
  const ids = new Set([logicalId, logicalId.replace(/[0-9A-F]{8}$/, '')]);
  return [stack.name, ...[...ids].flatMap((id) => [id, `${stack.name}/${id}`])];
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The construct writes JSON, so this text is not from the construct; the caller reports it.
    return null;
  }
}
