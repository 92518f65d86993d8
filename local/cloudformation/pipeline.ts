/** Finds the pipeline in an assembly: the state machine that says in its comment that it is one. */
import type { AssemblyStack } from './assembly';
import { LocalCloudError } from '../errors';
import { isJsonObject, type Json, type JsonObject } from '../json';
import { readStateMachine, type StateMachineResource } from './resources';
import type { PublishedVersions } from './published-versions';
import type { Resource } from './resource';
import { Template } from './template';

/** The key of the JSON object in the definition's `Comment` by which a pipeline is recognized. */
const COMMENT_KEY = 'slicedInference';

export interface Pipeline {
  readonly stack: AssemblyStack;
  readonly template: Template;
  readonly stateMachine: StateMachineResource;
  /** The pipeline's bucket. */
  readonly bucket: string;
  /** What the construct wrote about the pipeline: its plan's digest, inputs and outputs. */
  readonly signature: JsonObject;
}

interface Candidate {
  readonly stack: AssemblyStack;
  readonly template: Template;
  readonly resource: Resource;
}

/**
 * The assembly's pipeline, or of several the one in the stack `selection`, with the logical id `selection` or
 * with both as `stack/logicalId`.
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
      'this is an assembly without a pipeline, no state machine of it is a SlicedInferencePipeline: ' +
        'give the assembly of an app that has one',
    );
  }
  const found = all.map(({ template, resource }) => `${template.stackName}/${resource.logicalId}`).join(', ');
  const got =
    selection === undefined ? `has ${all.length} pipelines` : `has ${selected.length} named '${selection}'`;
  throw new LocalCloudError(`the assembly ${got}, expected one: choose one of ${found}`);
}

/** By the text of the definition, so that state machines of others are left alone, whatever they refer to. */
function candidates(stack: AssemblyStack, versions?: PublishedVersions): Candidate[] {
  const template = new Template(stack, versions);
  return template
    .resourcesOfType('AWS::StepFunctions::StateMachine')
    .filter((resource) => JSON.stringify(resource.properties.DefinitionString ?? '').includes(COMMENT_KEY))
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
  const signature = isJsonObject(content) ? content[COMMENT_KEY] : undefined;
  if (!isJsonObject(signature)) throw noSignature(stateMachine);
  return signature;
}

function noSignature(stateMachine: StateMachineResource): LocalCloudError {
  return new LocalCloudError(
    `the comment of state machine '${stateMachine.logicalId}' is not a pipeline's: synthesize the assembly again`,
  );
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Not JSON, hence not what the construct wrote; the caller says so.
    return null;
  }
}
