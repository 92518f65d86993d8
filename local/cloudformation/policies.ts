/** Reads all policies that apply to a pipeline: of its roles, buckets, keys and functions. */
import type { AccountPolicies, BucketKey } from '../iam/authorizer';
import type { IdentityPolicies } from '../iam/evaluate';
import { ADMINISTRATOR, awsManagedPolicy, parsePolicy, type Policy } from '../iam/policy';
import type { Identity } from '../iam/principals';
import { bucketArn } from '../iam/s3-actions';
import { isJsonArray, isJsonObject, type Json, listOf } from '../json';
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
 * @param serviceRoles ARNs of the roles with which API Gateway starts executions
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
    ...template.referredResources('AWS::KMS::Key').map((key) => {
      const { KeyPolicy: policy } = key.properties;
      return [attributeOf(template, key, 'Arn'), readPolicy(template, policy, key)] as const;
    }),
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

interface RolePolicies extends IdentityPolicies {
  readonly arn: string;
  /** Absent for an imported role. */
  readonly trust?: Policy;
  /** What the template does not have, for a notice. */
  readonly unknown: readonly string[];
}

function readRole(template: Template, arn: string): RolePolicies {
  const resource = template
    .referredResources('AWS::IAM::Role')
    .find((candidate) => attributeOf(template, candidate, 'Arn') === arn);
  if (resource !== undefined) return readOwnRole(template, resource, arn);
  const name = arn.split('/').at(-1) ?? '';
  const policies = attachedPolicies(template, (role) => role === name);
  return { arn, policies, isOpen: true, unknown: [`the role ${arn}`] };
}

function readOwnRole(template: Template, resource: Resource, arn: string): RolePolicies {
  const inline = listOf(resource.properties.Policies).map((policy) =>
    readPolicy(template, isJsonObject(policy) ? policy.PolicyDocument : policy, resource, 'a policy of '),
  );
  const names = listOf(template.property(resource, 'ManagedPolicyArns')).map(String);
  const managed = names.map((name) => managedPolicy(template, name) ?? name);
  const unknown = managed.filter((policy) => typeof policy === 'string').map((name) => `the policy ${name}`);
  const known = managed.filter((policy) => typeof policy !== 'string');
  const name = referenceTo(template, resource);
  const attached = attachedPolicies(
    template,
    (role) => role === name || (isJsonObject(role) && role.Ref === resource.logicalId),
  );
  const { AssumeRolePolicyDocument: trust } = resource.properties;
  const boundary = readBoundary(template, resource);
  return {
    arn,
    policies: [...inline, ...known, ...attached],
    trust: readPolicy(template, trust, resource, 'the trust policy of '),
    ...(boundary && { boundary }),
    isOpen: unknown.length > 0,
    unknown,
  };
}

function readBoundary(template: Template, resource: Resource): Policy | undefined {
  if (resource.properties.PermissionsBoundary === undefined) return undefined;
  const arn = template.text(resource, 'PermissionsBoundary');
  const boundary = managedPolicy(template, arn);
  if (boundary !== undefined) return boundary;
  throw unsupported(
    `the permissions boundary ${arn} of ${whereOf(resource)}, whose policy is not in the template`,
    'synthesize the stack without it, or define its policy in the stack',
  );
}

const ATTACHABLE = ['AWS::IAM::Policy', 'AWS::IAM::RolePolicy', 'AWS::IAM::ManagedPolicy'];

/** @param isRole tells the role's reference or name apart from others, before it is resolved */
function attachedPolicies(template: Template, isRole: (role: Json) => boolean): Policy[] {
  return ATTACHABLE.flatMap((type) => template.resourcesOfType(type)).flatMap((policy) => {
    const { Roles: roles, RoleName: role = null, PolicyDocument: document } = policy.properties;
    if (![...listOf(roles), role].some(isRole)) return [];
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
function readPolicy(template: Template, document: Json | undefined, resource: Resource, part = ''): Policy {
  return parsePolicy(document, part + whereOf(resource), (value) => template.resolve(value));
}
