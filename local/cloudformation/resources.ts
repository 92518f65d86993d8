/** Reads resources. Properties that would change what runs are used or refused by name. */
import { entriesOf, isJsonObject } from '../json';
import { checkFields, refuseProperties, type Resource, unknownValue } from './resource';
import { attributeOf, referenceTo } from './physical-ids';
import type { Template } from './template';

export type FunctionResource = ReturnType<typeof readFunction>;

export type StateMachineType = 'STANDARD' | 'EXPRESS';

export interface StateMachineResource extends ReturnType<typeof readStateMachine> {
  /** Whether callers invoke a function instead of a state machine: see `function-machine.ts`. */
  readonly isFunction?: boolean;
}

export function readStateMachine(template: Template, resource: Resource) {
  refuseProperties(resource, ['Definition', 'DefinitionS3Location', 'DefinitionSubstitutions']);
  const given = template.property(resource, 'StateMachineType') ?? 'STANDARD';
  if (given !== 'STANDARD' && given !== 'EXPRESS') throw unknownValue(resource, 'StateMachineType', given);
  const type: StateMachineType = given;
  const roleArn = template.property(resource, 'RoleArn');
  return {
    logicalId: resource.logicalId,
    name: attributeOf(template, resource, 'Name'),
    arn: attributeOf(template, resource, 'Arn'),
    type,
    definition: template.text(resource, 'DefinitionString'),
    roleArn: typeof roleArn === 'string' ? roleArn : undefined,
  };
}

/** `arn:partition:lambda:region:account:function:name[:qualifier]` */
export function splitFunctionArn(arn: string) {
  const parts = arn.split(':');
  return {
    functionArn: parts.slice(0, 7).join(':'),
    name: parts[6] ?? arn,
    qualifier: parts[7] ?? '$LATEST',
  };
}

/** Finds the function of an ARN of the function, of a version or of an alias, and the version's number or `$LATEST`. */
export function findFunction(
  template: Template,
  calledArn: string,
): { readonly resource: Resource; readonly version: string } | undefined {
  const { functionArn, qualifier } = splitFunctionArn(calledArn);
  const resource = template
    .referredResources('AWS::Lambda::Function')
    .find((candidate) => attributeOf(template, candidate, 'Arn') === functionArn);
  if (resource === undefined) return undefined;
  const alias = template
    .referredResources('AWS::Lambda::Alias')
    .find((candidate) => referenceTo(template, candidate) === calledArn);
  return { resource, version: alias ? template.text(alias, 'FunctionVersion') : qualifier };
}

export function readFunction(template: Template, resource: Resource) {
  refuseProperties(resource, ['FileSystemConfigs', 'Layers', 'SnapStart']);
  const packageType = template.property(resource, 'PackageType') ?? 'Zip';
  if (packageType !== 'Zip') throw unknownValue(resource, 'PackageType', packageType);
  const runtime = template.text(resource, 'Runtime');
  if (!/^nodejs\d+\.x$/.test(runtime)) throw unknownValue(resource, 'Runtime', runtime);
  const given = template.property(resource, 'Code') ?? null;
  const { S3Bucket: bucket, S3Key: key } = checkFields(resource, 'Code', given, ['S3Bucket', 'S3Key']);
  if (typeof bucket !== 'string' || typeof key !== 'string') throw unknownValue(resource, 'Code', given);
  const reserved = template.property(resource, 'ReservedConcurrentExecutions');
  const storage = template.property(resource, 'EphemeralStorage');
  return {
    logicalId: resource.logicalId,
    name: referenceTo(template, resource),
    // Unqualified.
    arn: attributeOf(template, resource, 'Arn'),
    roleArn: template.text(resource, 'Role'),
    ...readLogGroup(template, resource),
    code: { bucket, key },
    handler: template.text(resource, 'Handler'),
    runtime,
    architecture: architectureOf(template, resource),
    // Lambda's defaults: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    timeoutSeconds: Number(template.property(resource, 'Timeout') ?? 3),
    memoryMegabytes: Number(template.property(resource, 'MemorySize') ?? 128),
    ephemeralStorageMegabytes: isJsonObject(storage) ? Number(storage.Size) : 512,
    environment: readEnvironment(template, resource),
    reservedConcurrency: reserved === undefined ? undefined : Number(reserved),
    isProvisioned: isProvisioned(template, resource),
  };
}

/** Here, its sandboxes start at the first calls. Their init phase is as on Lambda. */
function isProvisioned(template: Template, resource: Resource): boolean {
  return template
    .referredResources('AWS::Lambda::Alias')
    .some(
      (alias) =>
        template.property(alias, 'ProvisionedConcurrencyConfig') !== undefined &&
        template.text(alias, 'FunctionName') === referenceTo(template, resource),
    );
}

export function readBuckets(template: Template): string[] {
  const buckets = template.referredResources('AWS::S3::Bucket');
  for (const bucket of buckets) {
    // There is no EventBridge, so its events have no effect.
    const { NotificationConfiguration: notifications = {} } = bucket.properties;
    checkFields(bucket, 'NotificationConfiguration', notifications, ['EventBridgeConfiguration']);
  }
  const directoryBuckets = template.referredResources('AWS::S3Express::DirectoryBucket');
  return [...buckets, ...directoryBuckets].map((bucket) => referenceTo(template, bucket));
}

function architectureOf(template: Template, resource: Resource): string {
  const architectures = template.property(resource, 'Architectures');
  return Array.isArray(architectures) ? String(architectures[0]) : 'x86_64';
}

/** If the template does not set the log group, Lambda creates it at the first call. */
function readLogGroup(template: Template, resource: Resource) {
  const logging = template.property(resource, 'LoggingConfig');
  const logGroup = isJsonObject(logging) ? logging.LogGroup : undefined;
  return typeof logGroup === 'string'
    ? { logGroup, createsLogGroup: false }
    : { logGroup: `/aws/lambda/${referenceTo(template, resource)}`, createsLogGroup: true };
}

function readEnvironment(template: Template, resource: Resource): Record<string, string> {
  const environment = template.property(resource, 'Environment');
  const variables = isJsonObject(environment) ? environment.Variables : undefined;
  const entries = entriesOf(isJsonObject(variables) ? variables : {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
