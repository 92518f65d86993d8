/** Finds the statements of a template that grant permissions. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/json';
import { readAssembly } from '../../local/cloudformation/assembly';
import { attributeOf } from '../../local/cloudformation/physical-ids';
import { Template } from '../../local/cloudformation/template';
import type { Access } from '../../local';
import { matchesArn, matchesPattern } from '../../local/iam/conditions';

/** An `Allow` statement of any resource of a template. */
export interface GrantingStatement {
  readonly actions: readonly string[];
  /** Resolved; the resource that has the policy if the statement names none or `*`. */
  readonly resources: readonly string[];
  /** The logical ids of the roles that have the statement; none for a statement about a resource. */
  readonly roles: readonly string[];
  /** ARNs of roles, or the name of a service; none if the statement is for all principals of an account. */
  readonly principals: readonly string[];
  /** Whether the statement grants what the access needed. */
  readonly covers: (access: Access) => boolean;
  /** For titles: resource, statement id or actions. */
  readonly name: string;
}

export function grantingStatements(assembly: string): GrantingStatement[] {
  const [stack] = readAssembly(assembly);
  const template = new Template(stack);
  return Object.keys(stack.template.Resources as JsonObject).flatMap((logicalId) => {
    const { properties } = template.resource(logicalId);
    return Object.entries(properties).flatMap(([name, value = null]) =>
      statementsIn(value)
        .filter(({ Effect }) => Effect === 'Allow')
        .map((statement) => describe(template, logicalId, statement, name === 'AssumeRolePolicyDocument')),
    );
  });
}

/** Statements are the elements of a `Statement` list, wherever a resource has its policies. */
function statementsIn(value: Json): JsonObject[] {
  if (isJsonArray(value)) return value.flatMap(statementsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner = null]) =>
    name === 'Statement' && isJsonArray(inner) ? (inner as JsonObject[]) : statementsIn(inner),
  );
}

function describe(
  template: Template,
  logicalId: string,
  statement: JsonObject,
  isTrust: boolean,
): GrantingStatement {
  const actions = texts(statement.Action ?? []);
  const owner = ownerOf(template, logicalId, isTrust);
  const listed = statement.Resource === undefined ? [] : texts(template.resolve(statement.Resource));
  const resources =
    owner.arn !== undefined && (listed.length === 0 || listed[0] === '*') ? [owner.arn] : listed;
  const service = serviceOf(template, statement);
  const principals = service === undefined ? owner.principals : [service];
  return {
    actions,
    resources,
    roles: owner.roles,
    principals,
    covers: (access) =>
      (principals.length === 0 || principals.includes(access.principal)) &&
      actions.some((action) => coversAction(action, access)) &&
      resources.some((resource) => matchesArn(resource, access.resource)),
    name: `${logicalId} ${typeof statement.Sid === 'string' ? statement.Sid : actions.slice(0, 2).join()}`,
  };
}

function serviceOf(template: Template, { Principal: principal = null }: JsonObject): string | undefined {
  const service = isJsonObject(principal) ? template.resolve(principal.Service ?? null) : undefined;
  return typeof service === 'string' ? service : undefined;
}

export function coversAction(pattern: string, { action }: Access): boolean {
  return matchesPattern(pattern.toLowerCase(), action.toLowerCase());
}

interface Owner {
  /** ARN of the resource whose policy has the statement; absent for the policies of roles. */
  readonly arn?: string;
  readonly principals: readonly string[];
  readonly roles: readonly string[];
}

function ownerOf(template: Template, logicalId: string, isTrust: boolean): Owner {
  const { type, properties } = template.resource(logicalId);
  const arn = (id: string): string => attributeOf(template, template.resource(id), 'Arn');
  const resource = (id: string): Owner => ({ arn: arn(id), principals: [], roles: [] });
  const roles = (ids: readonly string[]): Owner => ({ principals: ids.map(arn), roles: ids });
  switch (type) {
    case 'AWS::IAM::Role':
      return isTrust ? resource(logicalId) : roles([logicalId]);
    case 'AWS::IAM::Policy':
    case 'AWS::IAM::ManagedPolicy':
      return roles([...referredIds(properties.Roles), ...rolesWith(template, logicalId)]);
    case 'AWS::KMS::Key':
      return resource(logicalId);
    case 'AWS::S3::BucketPolicy':
    case 'AWS::S3Express::BucketPolicy':
      return resource(referredIds(properties.Bucket)[0]);
    default:
      throw new Error(`the test does not know policies of ${type}: teach it whose they are`);
  }
}

/** The logical ids in a reference or a list of references. */
function referredIds(value: Json = []): string[] {
  return (isJsonArray(value) ? value : [value]).flatMap((item) =>
    isJsonObject(item) && typeof item.Ref === 'string' ? [item.Ref] : [],
  );
}

function rolesWith(template: Template, policy: string): string[] {
  return template
    .resourcesOfType('AWS::IAM::Role')
    .filter(({ properties }) => referredIds(properties.ManagedPolicyArns).includes(policy))
    .map(({ logicalId }) => logicalId);
}

function texts(value: Json): string[] {
  return (isJsonArray(value) ? value : [value]).map(String);
}
