/** A resource of a stack's template, and what resolves and checks its properties. */
import { isJsonObject, type Json, type JsonObject } from '../json';
import { type LocalCloudError, unsupported } from '../local-cloud-error';
import type { StackEnvironment } from './assembly';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** Unresolved. */
  readonly properties: JsonObject;
  /** Unresolved. */
  readonly metadata: JsonObject;
}

export interface ResourceResolver {
  readonly stackName: string;
  readonly environment: StackEnvironment;
  readonly versions: PublishedVersions;
  resolve(value: Json): Json;
  property(resource: Resource, name: string): Json | undefined;
  text(resource: Resource, name: string): string;
}

/** Numbers versions across deployments: a version keeps its number, a new version of the same thing gets the next one. */
export class PublishedVersions {
  private readonly known = new Map<string, string[]>();

  /** @param logicalId of the version in the template; CDK derives it from everything that the version depends on */
  numberOf(arn: string, logicalId: string): string {
    const versions = this.known.get(arn) ?? [];
    this.known.set(arn, versions);
    if (!versions.includes(logicalId)) versions.push(logicalId);
    return String(versions.indexOf(logicalId) + 1);
  }
}

/** Refuses properties that change what runs, and that the local cloud does not have. Others have no effect on one machine. */
export function refuseProperties(
  { properties, ...resource }: Omit<Resource, 'metadata'>,
  names: readonly string[],
): void {
  const found = names.find((name) => properties[name] !== undefined);
  if (found === undefined) return;
  throw unsupported(`the property ${found} of ${whereOf(resource)}`);
}

export function checkFields(
  resource: Resource,
  property: string,
  value: Json,
  known: readonly string[],
): JsonObject {
  if (!isJsonObject(value)) throw unknownValue(resource, property, value);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw unsupported(`the property ${property}.${name} of ${whereOf(resource)}`);
  }
  return value;
}

export function unknownValue(resource: Resource, property: string, value: Json): LocalCloudError {
  return unsupported(`the ${property} ${JSON.stringify(value)} of ${whereOf(resource)}`);
}

export function whereOf({ type, logicalId }: Pick<Resource, 'type' | 'logicalId'>): string {
  return `${type} '${logicalId}'`;
}
