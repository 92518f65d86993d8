/** Finds the statements of a template that grant permissions, and makes assemblies that lack one of them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../local/basics/json';
import { readAssembly } from '../../local/cloudformation/assembly';
import { attributeOf, referenceTo } from '../../local/cloudformation/physical-ids';
import { Template } from '../../local/cloudformation/template';
import type { Access } from '../../local';
import { matchesArn, matchesPattern } from '../../local/iam/patterns';
import { temporaryFolder } from './temporary-folder';

/** An `Allow` statement of any resource of a template. */
export interface GrantingStatement {
  readonly logicalId: string;
  readonly type: string;
  readonly statement: JsonObject;
  readonly actions: readonly string[];
  /** Resolved; the resource that has the policy if the statement names none or `*`. */
  readonly resources: readonly string[];
  /** The logical id of the role that the statement grants something. */
  readonly role?: string;
  /** Whether the statement grants what the access needed. */
  readonly covers: (access: Access) => boolean;
  /** A copy of the assembly without the statement. */
  readonly without: () => string;
  /** For titles: resource, statement id or actions. */
  readonly name: string;
}

type Path = readonly (string | number)[];

export function grantingStatements(assembly: string): GrantingStatement[] {
  const [stack] = readAssembly(assembly);
  const template = new Template(stack);
  return Object.keys(stack.template.Resources as JsonObject).flatMap((logicalId) => {
    const { type, properties } = template.resource(logicalId);
    return statementsIn(properties, ['Resources', logicalId, 'Properties']).flatMap(
      ({ statement, place }) => {
        if (statement.Effect !== 'Allow') return [];
        return [describe(assembly, template, { logicalId, type, statement, place })];
      },
    );
  });
}

/** Statements are the elements of a `Statement` list, wherever a resource has its policies. */
function statementsIn(value: Json, place: Path): { statement: JsonObject; place: Path }[] {
  if (isJsonArray(value)) return value.flatMap((item, index) => statementsIn(item, [...place, index]));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner = null]) => {
    if (name !== 'Statement' || !isJsonArray(inner)) return statementsIn(inner, [...place, name]);
    return inner.map((item, index) => ({ statement: item as JsonObject, place: [...place, name, index] }));
  });
}

function describe(
  assembly: string,
  template: Template,
  found: { logicalId: string; type: string; statement: JsonObject; place: Path },
): GrantingStatement {
  const { logicalId, type, statement, place } = found;
  const actions = texts(statement.Action ?? []);
  const owner = ownerOf(template, logicalId, place);
  const listed = statement.Resource === undefined ? [] : texts(template.resolve(statement.Resource));
  const resources =
    owner.arn !== undefined && (listed.length === 0 || listed[0] === '*') ? [owner.arn] : listed;
  const principal = serviceOf(template, statement) ?? owner.principal;
  return {
    logicalId,
    type,
    statement,
    actions,
    resources,
    ...(owner.role !== undefined && { role: owner.role }),
    covers: (access) =>
      (principal === undefined || access.principal === principal) &&
      actions.some((action) => coversAction(action, access)) &&
      resources.some((resource) => matchesArn(resource, access.resource)),
    without: () => assemblyWithout(assembly, template.stackName, place),
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
  /** ARN of the role whose policy has the statement. */
  readonly principal?: string;
  readonly role?: string;
}

function ownerOf(template: Template, logicalId: string, place: Path): Owner {
  const resource = template.resource(logicalId);
  const arn = (id: string): string => attributeOf(template, template.resource(id), 'Arn');
  switch (resource.type) {
    case 'AWS::IAM::Role':
      return place.includes('AssumeRolePolicyDocument')
        ? { arn: arn(logicalId) }
        : { principal: arn(logicalId), role: logicalId };
    case 'AWS::IAM::Policy': {
      const [role] = resource.properties.Roles as readonly { readonly Ref: string }[];
      return { principal: arn(role.Ref), role: role.Ref };
    }
    case 'AWS::KMS::Key':
      return { arn: arn(logicalId) };
    case 'AWS::S3::BucketPolicy':
    case 'AWS::S3Express::BucketPolicy':
      return { arn: arn((resource.properties.Bucket as { readonly Ref: string }).Ref) };
    default:
      throw new Error(`the test does not know policies of ${resource.type}: teach it whose they are`);
  }
}

function texts(value: Json): string[] {
  return (isJsonArray(value) ? value : [value]).map(String);
}

/** Links all files of the assembly except for the template. */
function assemblyWithout(assembly: string, stackName: string, place: Path): string {
  const folder = path.join(temporaryFolder(), 'cdk.out');
  fs.mkdirSync(folder);
  const templateFile = `${stackName}.template.json`;
  for (const name of fs.readdirSync(assembly)) {
    if (name !== templateFile) fs.symlinkSync(path.join(assembly, name), path.join(folder, name));
  }
  const template = JSON.parse(fs.readFileSync(path.join(assembly, templateFile), 'utf8')) as Json;
  let list = template as unknown as Record<string | number, never>;
  for (const step of place.slice(0, -1)) list = list[step];
  (list as unknown as Json[]).splice(Number(place.at(-1)), 1);
  fs.writeFileSync(path.join(folder, templateFile), JSON.stringify(template));
  return folder;
}

/** Logical ids of the functions that have a role. */
export function functionsOf(assembly: string, role: string): string[] {
  const [stack] = readAssembly(assembly);
  const template = new Template(stack);
  const arn = attributeOf(template, template.resource(role), 'Arn');
  return template
    .resourcesOfType('AWS::Lambda::Function')
    .filter((fn) => template.text(fn, 'Role') === arn)
    .map(({ logicalId }) => logicalId);
}

/** The name of an S3 bucket of the stack. */
export function bucketNameOf(assembly: string, logicalIdPrefix: string): string {
  const [stack] = readAssembly(assembly);
  const template = new Template(stack);
  const bucket = template
    .resourcesOfType('AWS::S3::Bucket')
    .find(({ logicalId }) => logicalId.startsWith(logicalIdPrefix));
  if (bucket === undefined) throw new Error(`no bucket ${logicalIdPrefix}`);
  return referenceTo(template, bucket);
}
