/**
 * Reads what a stack deploys: the chosen state machine, the others that can run, and what they need. It reads each of the others with a
 * template of its own first, so that what a state machine refers to that cannot run here does not matter.
 */
import { LocalCloudError, orRefusal } from '../local-cloud-error';
import type { HttpApi } from '../api-gateway/http-api';
import { readHttpApi } from '../api-gateway/read-http-api';
import type { AssemblyStack } from '../cloudformation/assembly';
import { attributeOf } from '../cloudformation/physical-ids';
import {
  isPipeline,
  machinesOf,
  readMachine,
  readSignature,
  type Selection,
} from '../cloudformation/pipeline';
import { isCallable } from '../cloudformation/function-machine';
import { readFunctionUrls } from '../cloudformation/function-urls';
import { type PipelinePolicies, readPolicies } from '../cloudformation/policies';
import type { PublishedVersions } from '../cloudformation/resource';
import { readBuckets, type StateMachineResource } from '../cloudformation/resources';
import { Template } from '../cloudformation/template';
import { Authorizer } from '../iam/authorizer';
import type { LocalFunctions } from '../lambda/local-functions';
import { allStates, type Definition } from '../step-functions/definition';
import { parseDefinition } from '../step-functions/parse-definition';
import { checkRoles } from './check-roles';
import type { LocalPipeline, LocalStateMachine } from './local-pipeline';
import type { LocalCloudOptions } from './options';

export interface DeployedMachine {
  readonly resource: StateMachineResource;
  readonly definition: Definition;
}

export type Deployment = ReturnType<typeof readDeployment>;

interface DeploymentOptions extends Pick<LocalCloudOptions, 'bucketKeys' | 'onAccess'> {
  readonly versions: PublishedVersions;
  readonly functions: LocalFunctions;
}

/** @throws LocalCloudError when the chosen state machine needs something that the local cloud does not support */
export function readDeployment({ stack, logicalId }: Selection, options: DeploymentOptions) {
  const template = new Template(stack, options.versions);
  // Why the others do not run, by ARN.
  const refused = new Map<string, string>();
  // All that run, the chosen one first.
  const running = [logicalId];
  for (const other of machinesOf(template)) {
    if (other.logicalId === logicalId) continue;
    const refusal = refusalOf(stack, other.logicalId, options);
    if (refusal === undefined) running.push(other.logicalId);
    else if (!isCallable(other)) refused.set(attributeOf(template, other, 'Arn'), refusal);
  }
  const front = (machines: readonly DeployedMachine[]) => {
    const arns = machines.map(({ resource }) => resource.arn);
    return readHttpApi(template, { running: new Set(arns), refused });
  };
  const read = readMachines(template, running, { ...options, front });
  const aliases = readAliases(new Template(stack, options.versions));
  const functions = read.machines.flatMap(({ resource }) => (resource.isFunction ? [resource.arn] : []));
  const { urls, notices } = readFunctionUrls(new Template(stack, options.versions), functions);
  const ofUrls = urls.map(({ functionArn, policy }) => [functionArn, policy] as const);
  const resources = new Map([...read.policies.resources, ...ofUrls]);
  const policies: PipelinePolicies = { ...read.policies, resources };
  return {
    ...read,
    ...{ policies, urls, stack },
    refused,
    selected: read.machines[0].resource,
    aliases: aliases.machines,
    pipelines: read.machines.flatMap((machine) => pipelineOf(template, machine)),
    notices: [...read.notices, ...aliases.notices, ...notices, ...ruleNotices(template)],
  };
}

function ruleNotices(template: Template): string[] {
  return template
    .resourcesOfType('AWS::Events::Rule')
    .map(
      ({ logicalId }) => `the rule '${logicalId}' starts nothing here: the local cloud has no EventBridge`,
    );
}

/** @param template of its own, because an alias may refer to what the local cloud does not run */
function readAliases(template: Template) {
  const machines = new Map<string, string>();
  const notices: string[] = [];
  for (const alias of template.resourcesOfType('AWS::StepFunctions::StateMachineAlias')) {
    const arn = orRefusal(() => attributeOf(template, alias, 'Arn'));
    if (arn instanceof LocalCloudError) {
      notices.push(`the alias '${alias.logicalId}' of a state machine is not there: ${arn.message}`);
    } else {
      machines.set(arn, arn.slice(0, arn.lastIndexOf(':')));
    }
  }
  return { machines, notices };
}

/** The state machine may refer to anything, so it is read with a template of its own, which remembers what it refers to. */
function refusalOf(stack: AssemblyStack, logicalId: string, options: DeploymentOptions): string | undefined {
  const template = new Template(stack, options.versions);
  const alone = { ...options, onAccess: () => undefined, front: () => undefined };
  const read = orRefusal(() => readMachines(template, [logicalId], alone));
  return read instanceof LocalCloudError ? read.message : undefined;
}

/** The policies come last, because they are those of all resources that the others refer to. */
function readMachines(
  template: Template,
  logicalIds: readonly string[],
  api: DeploymentOptions & { readonly front: (machines: readonly DeployedMachine[]) => HttpApi | undefined },
) {
  const { functions, bucketKeys, onAccess, front: frontOf } = api;
  const machines = logicalIds.map((id) => {
    const resource = readMachine(template, template.resource(id));
    return { resource, definition: parseDefinition(resource.definition, resource.type) };
  });
  const replaceFunctions = functions.prepare(template, ...machines.map(({ definition }) => definition));
  const httpApi = frontOf(machines);
  const buckets = [
    ...readBuckets(template),
    // Needed if the stack imports a pipeline's bucket instead of defining it.
    ...machines.flatMap((machine) => pipelineOf(template, machine).map(({ bucket }) => bucket)),
    ...machines.flatMap(({ definition }) => bucketsOfMaps(definition)),
  ];
  const stateMachines = machines.map(({ resource }) => resource);
  const policies = readPolicies(template, stateMachines, httpApi?.roleArns ?? [], bucketKeys);
  const authorizer = new Authorizer(onAccess);
  authorizer.update(policies);
  const notices = checkRoles({ template, stateMachines, policies, authorizer });
  return { machines, replaceFunctions, httpApi, buckets, policies, notices };
}

/** Buckets that distributed Maps name and that the stack may import. */
function bucketsOfMaps(definition: Definition): string[] {
  return [...allStates(definition)].flatMap((state) => {
    if (state.type !== 'Map' || state.mode !== 'DISTRIBUTED') return [];
    const buckets = [state.reader.bucket.literal, state.writer.bucket.literal];
    return buckets.filter((bucket) => typeof bucket === 'string');
  });
}

function pipelineOf(template: Template, { resource }: DeployedMachine): LocalPipeline[] {
  if (!isPipeline(template.resource(resource.logicalId))) return [];
  return [{ ...describeMachine(template.stackName, resource), ...readSignature(resource) }];
}

/** @throws LocalCloudError when the stack of a state machine of the user has no pipeline, or several */
export function chosenPipeline(deployment: Pick<Deployment, 'pipelines' | 'selected'>): LocalPipeline {
  const { pipelines, selected } = deployment;
  const chosen = pipelines.find(({ stateMachineArn }) => stateMachineArn === selected.arn);
  if (chosen !== undefined) return chosen;
  const [only] = pipelines;
  if (pipelines.length === 1) return only;
  throw new LocalCloudError(
    `the stack of your own state machine '${selected.logicalId}' must have one pipeline, got ${pipelines.length}: ` +
      'use the properties stateMachine and pipelines of the local cloud',
  );
}

export function describeMachine(stackName: string, machine: StateMachineResource): LocalStateMachine {
  const { arn, type, isFunction = false } = machine;
  return { stackName, stateMachineArn: arn, stateMachineType: isFunction ? 'FUNCTION' : type };
}
