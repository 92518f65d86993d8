/** Finds the pipeline in an assembly: the state machine whose comment contains a pipeline's signature. */
import { SIGNATURE_KEY } from '../../contract/signature';
import type { AssemblyStack } from './assembly';
import { LocalCloudError } from '../basics/errors';
import { isJsonObject, type Json, type JsonObject } from '../basics/json';
import { readStateMachine, type StateMachineResource } from './resources';
import type { PublishedVersions } from './published-versions';
import type { Resource } from './resource';
import { Template } from './template';

export interface Pipeline {
  readonly stack: AssemblyStack;
  readonly template: Template;
  readonly stateMachine: StateMachineResource;
  /** The pipeline's bucket. */
  readonly bucket: string;
  /** What the construct wrote into the comment: the deployment's digest, inputs and outputs. */
  readonly signature: JsonObject;
}

interface Candidate {
  readonly stack: AssemblyStack;
  readonly template: Template;
  readonly resource: Resource;
}

/**
 * The assembly's only pipeline, or the one that `selection` names: by stack, by logical id, or by both as
 * `stack/logicalId`.
 * @throws LocalCloudError when there is not exactly one such pipeline
 */
export function selectPipeline(
  stacks: readonly AssemblyStack[],
  selection?: string,
  versions?: PublishedVersions,
): Pipeline {
  const all = stacks.flatMap((stack) => candidates(stack, versions));
  const selected =
    selection === undefined ? all : all.filter((candidate) => names(candidate).includes(selection));
  const only = selected.length === 1 ? selected.at(0) : undefined;
  if (only !== undefined) return readPipeline(only);
  if (all.length === 0) {
    throw new LocalCloudError(
      'the assembly must have a pipeline, got no state machine of a SlicedInferencePipeline: ' +
        'pass the assembly of an app that has one',
    );
  }
  const found = all.map(({ template, resource }) => `${template.stackName}/${resource.logicalId}`).join(', ');
  const got =
    selection === undefined ? `has ${all.length} pipelines` : `has ${selected.length} named '${selection}'`;
  throw new LocalCloudError(`the assembly ${got}, expected one: choose one of ${found}`);
}

/** Searches the text of the definitions, so that other state machines are not resolved, whatever they refer to. */
function candidates(stack: AssemblyStack, versions?: PublishedVersions): Candidate[] {
  const template = new Template(stack, versions);
  return template
    .resourcesOfType('AWS::StepFunctions::StateMachine')
    .filter((resource) => JSON.stringify(resource.properties.DefinitionString ?? '').includes(SIGNATURE_KEY))
    .map((resource) => ({ stack, template, resource }));
}

function names({ template, resource }: Candidate): string[] {
  return [template.stackName, resource.logicalId, `${template.stackName}/${resource.logicalId}`];
}

function readPipeline({ stack, template, resource }: Candidate): Pipeline {
  const stateMachine = readStateMachine(template, resource);
  const signature = readSignature(stateMachine);
  if (typeof signature.bucket !== 'string') throw noSignature(stateMachine);
  return { stack, template, stateMachine, bucket: signature.bucket, signature };
}

function readSignature(stateMachine: StateMachineResource): JsonObject {
  const definition = parse(stateMachine.definition);
  const comment =
    isJsonObject(definition) && typeof definition.Comment === 'string' ? definition.Comment : '';
  const content = parse(comment);
  const signature = isJsonObject(content) ? content[SIGNATURE_KEY] : undefined;
  if (!isJsonObject(signature)) throw noSignature(stateMachine);
  return signature;
}

function noSignature(stateMachine: StateMachineResource): LocalCloudError {
  return new LocalCloudError(
    `the comment of state machine '${stateMachine.logicalId}' has no valid pipeline signature: synthesize the assembly again`,
  );
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The construct writes JSON, so this text is not from the construct; the caller reports it.
    return null;
  }
}
