/** Reads the policies of roles: inline, attached in the template, managed, and permissions boundaries. */
import { unsupported } from '../local-cloud-error';
import { isJsonArray, isJsonObject, type Json } from '../json';
import { awsManagedPolicy } from '../iam/aws-managed-policies';
import type { IdentityPolicies } from '../iam/evaluate';
import { parsePolicy, type Policy } from '../iam/policy';
import { attributeOf, referenceTo } from './physical-ids';
import type { Resource } from './resource';
import type { Template } from './template';

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

export function whereOf({ type, logicalId }: Resource): string {
  return `${type} '${logicalId}'`;
}

function items(list: Json | undefined): readonly Json[] {
  return list !== undefined && isJsonArray(list) ? list : [];
}
