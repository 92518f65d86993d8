/** A resource of a stack's template, and what resolves its properties. */
import type { Json, JsonObject } from '../json';
import type { StackEnvironment } from './assembly';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** Unresolved. */
  readonly properties: JsonObject;
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
