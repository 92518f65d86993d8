/** Reads all policies that apply to a pipeline: of its roles, buckets, keys and functions. */
import type { AccountPolicies, BucketKey } from '../iam/authorizer';
import type { IdentityPolicies } from '../iam/evaluate';
import { ADMINISTRATOR, awsManagedPolicy, parsePolicy, type Policy } from '../iam/policy';
import type { Identity } from '../iam/principals';
import { bucketArn } from '../iam/s3-actions';
import { isJsonArray, isJsonObject, type Json } from '../json';
import { unsupported } from '../local-cloud-error';
import { attributeOf, referenceTo } from './physical-ids';
import { type Resource, whereOf } from './resource';
import type { StateMachineResource } from './resources';
import type { Template } from './template';

export interface PipelinePolicies extends AccountPolicies {
  /** The roles of functions, of state machines, and of the services that start executions, by ARN. */
  readonly roles: ReadonlyMap<string, RolePolicies>;
}

/** The caller that uses the local cloud from outside. It may make every request that no policy denies. */
export function administrator(account: string): Identity {
  const arn = `arn:aws:iam::${account}:user/administrator`;
  return { kind: 'identity', arn, policiesOf: arn, account };
}

/**
 * Call this when the functions and the state machines have been read, because it reads the policies of what they refer to.
 *
 * @param serviceRoles ARNs of the roles with which API Gateway and EventBridge start executions
 * @param importedBucketKeys ARNs of the KMS keys of buckets that the stack does not define, by the bucket's name
 */
export function readPolicies(
  template: Template,
  stateMachines: readonly StateMachineResource[],
  serviceRoles: readonly string[] = [],
  importedBucketKeys: Readonly<Record<string, string>> = {},
): PipelinePolicies {
  const { account, region } = template.environment;
  const functions = template.referredResources('AWS::Lambda::Function');
  const roleArns = [
    ...stateMachines.flatMap(({ roleArn }) => roleArn ?? []),
    ...functions.map((fn) => template.text(fn, 'Role')),
    ...serviceRoles,
  ];
  const roles = new Map(roleArns.map((arn) => [arn, readRole(template, arn)] as const));
  const identities = new Map<string, IdentityPolicies>(roles);
  identities.set(administrator(account).arn, { policies: [ADMINISTRATOR] });
  // Reading these properties makes the log groups and the keys of buckets and log groups count as referred.
  for (const { logicalId } of stateMachines)
    template.property(template.resource(logicalId), 'LoggingConfiguration');
  for (const group of template.referredResources('AWS::Logs::LogGroup')) template.property(group, 'KmsKeyId');
  const bucketKeys = new Map([
    ...Object.entries(importedBucketKeys).map(
      ([bucket, keyArn]) => [bucket, { keyArn, bucketKeyEnabled: false }] as const,
    ),
    ...template.referredResources('AWS::S3::Bucket').flatMap((bucket) => bucketKey(template, bucket)),
  ]);
  const resources = new Map([
    ...bucketPolicies(template, 'AWS::S3'),
    ...bucketPolicies(template, 'AWS::S3Express'),
    ...template
      .referredResources('AWS::KMS::Key')
      .map(
        (key) =>
          [attributeOf(template, key, 'Arn'), readPolicy(template, key.properties.KeyPolicy, key)] as const,
      ),
    ...functionPolicies(template),
    ...[...roles].flatMap(([arn, { trust }]) => (trust ? [[arn, trust] as const] : [])),
  ]);
  return { account, region, identities, resources, bucketKeys, roles };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-bucketencryption.html */
function bucketKey(template: Template, bucket: Resource): [string, BucketKey][] {
  const encryption = template.property(bucket, 'BucketEncryption');
  if (!isJsonObject(encryption)) return [];
  const { ServerSideEncryptionConfiguration: rules = [] } = encryption;
  const [rule] = isJsonArray(rules) ? rules : [];
  if (!isJsonObject(rule) || !isJsonObject(rule.ServerSideEncryptionByDefault)) return [];
  const { SSEAlgorithm: algorithm, KMSMasterKeyID: key } = rule.ServerSideEncryptionByDefault;
  // Without a key, S3 uses the account's AWS managed key, which needs no permission.
  if (typeof algorithm !== 'string' || !algorithm.startsWith('aws:kms') || typeof key !== 'string') return [];
  const keyArn = keyArnOf(template, key);
  return [[referenceTo(template, bucket), { keyArn, bucketKeyEnabled: rule.BucketKeyEnabled === true }]];
}

function keyArnOf(template: Template, name: string): string {
  if (name.includes(':key/')) return name;
  const alias = template
    .referredResources('AWS::KMS::Alias')
    .find((candidate) => name.endsWith(referenceTo(template, candidate)));
  const target = alias ? template.text(alias, 'TargetKeyId') : name;
  if (target.includes(':key/')) return target;
  const { account, region } = template.environment;
  return `arn:aws:kms:${region}:${account}:key/${target}`;
}

function bucketPolicies(template: Template, service: 'AWS::S3' | 'AWS::S3Express'): [string, Policy][] {
  const bucketType = service === 'AWS::S3' ? 'AWS::S3::Bucket' : 'AWS::S3Express::DirectoryBucket';
  const own = new Map(
    template
      .referredResources(bucketType)
      .map((bucket) => [JSON.stringify({ Ref: bucket.logicalId }), attributeOf(template, bucket, 'Arn')]),
  );
  return template.resourcesOfType(`${service}::BucketPolicy`).flatMap((resource): [string, Policy][] => {
    const { Bucket: reference = null, PolicyDocument: document } = resource.properties;
    const arn = typeof reference === 'string' ? bucketArn(reference) : own.get(JSON.stringify(reference));
    // The pipeline does not refer to this bucket.
    if (arn === undefined) return [];
    return [[arn, readPolicy(template, document, resource)]];
  });
}

/** Permissions for accounts and roles. Those for services change nothing, because a state machine calls with its role. */
function functionPolicies(template: Template): [string, Policy][] {
  const arns = new Map(
    template
      .referredResources('AWS::Lambda::Function')
      .map((fn) => [fn.logicalId, attributeOf(template, fn, 'Arn')]),
  );
  const statements = new Map<string, Policy['statements'][number][]>();
  for (const permission of template.resourcesOfType('AWS::Lambda::Permission')) {
    const {
      FunctionName: name = null,
      Principal: principal = null,
      Action: action = null,
    } = permission.properties;
    // By its reference or its attribute, before these are resolved.
    const text = JSON.stringify(name);
    const arn = [...arns].find(([logicalId]) => text.includes(`"${logicalId}"`))?.[1];
    if (arn === undefined || (typeof principal === 'string' && principal.includes('.amazonaws.com')))
      continue;
    const named = template.resolve(name);
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: template.resolve(principal) },
      Action: action,
      Resource: typeof named === 'string' && named.startsWith('arn:') ? named : arn,
    };
    const { statements: parsed } = parsePolicy({ Statement: [statement] }, whereOf(permission));
    statements.set(arn, [...(statements.get(arn) ?? []), ...parsed]);
  }
  return [...statements].map(([arn, all]) => [arn, { statements: all }]);
}

export interface RolePolicies extends IdentityPolicies {
  readonly arn: string;
  /** Absent for an imported role. */
  readonly trust?: Policy;
  /** What the template does not have, for a notice. */
  readonly unknown: readonly string[];
}

export function readRole(template: Template, arn: string): RolePolicies {
  const resource = template
    .referredResources('AWS::IAM::Role')
    .find((candidate) => attributeOf(template, candidate, 'Arn') === arn);
  if (resource === undefined) {
    const name = arn.split('/').at(-1) ?? '';
    const policies = attachedPolicies(template, (role) => role === name);
    return { arn, policies, isOpen: true, unknown: [`the role ${arn}`] };
  }
  return readOwnRole(template, resource, arn);
}

function readOwnRole(template: Template, resource: Resource, arn: string): RolePolicies {
  const where = whereOf(resource);
  const inline = items(resource.properties.Policies).map((policy) => {
    if (!isJsonObject(policy)) throw unsupported(`the policy ${JSON.stringify(policy)} of ${where}`);
    return readPolicy(template, policy.PolicyDocument, resource, 'a policy of ');
  });
  const managed = items(template.property(resource, 'ManagedPolicyArns')).map(String);
  const known = managed.map((managedArn) => managedPolicy(template, managedArn));
  const unknown = managed
    .filter((_, index) => known[index] === undefined)
    .map((name) => `the policy ${name}`);
  const name = referenceTo(template, resource);
  const attached = attachedPolicies(
    template,
    (role) => role === name || (isJsonObject(role) && role.Ref === resource.logicalId),
  );
  const isBounded = resource.properties.PermissionsBoundary !== undefined;
  const boundaryArn = isBounded ? template.text(resource, 'PermissionsBoundary') : undefined;
  const boundary = boundaryArn === undefined ? undefined : managedPolicy(template, boundaryArn);
  if (boundaryArn !== undefined && boundary === undefined) {
    throw unsupported(
      `the permissions boundary ${boundaryArn} of ${where}, whose policy is not in the template`,
      'synthesize the stack without it, or define its policy in the stack',
    );
  }
  return {
    arn,
    policies: [...inline, ...known.flatMap((policy) => policy ?? []), ...attached],
    trust: readPolicy(
      template,
      resource.properties.AssumeRolePolicyDocument,
      resource,
      'the trust policy of ',
    ),
    ...(boundary && { boundary }),
    isOpen: unknown.length > 0,
    unknown,
  };
}

const ATTACHABLE = ['AWS::IAM::Policy', 'AWS::IAM::RolePolicy', 'AWS::IAM::ManagedPolicy'];

/** @param isRole tells the role's reference or name apart from others, before it is resolved */
function attachedPolicies(template: Template, isRole: (role: Json) => boolean): Policy[] {
  return ATTACHABLE.flatMap((type) => template.resourcesOfType(type)).flatMap((policy) => {
    const { Roles: roles, RoleName: role = null, PolicyDocument: document } = policy.properties;
    if (![...items(roles), role].some(isRole)) return [];
    return [readPolicy(template, document, policy)];
  });
}

function managedPolicy(template: Template, arn: string): Policy | undefined {
  const own = template
    .referredResources('AWS::IAM::ManagedPolicy')
    .find((candidate) => referenceTo(template, candidate) === arn);
  if (own === undefined) return awsManagedPolicy(arn);
  return readPolicy(template, own.properties.PolicyDocument, own);
}

/** @param part of the resource that has the policy, before its name in errors */
export function readPolicy(
  template: Template,
  document: Json | undefined,
  resource: Resource,
  part = '',
): Policy {
  return parsePolicy(document, part + whereOf(resource), (value) => template.resolve(value));
}

function items(list: Json | undefined): readonly Json[] {
  return list !== undefined && isJsonArray(list) ? list : [];
}
