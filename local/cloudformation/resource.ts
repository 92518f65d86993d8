/** A resource of a stack's template, and the interface that resolves its properties. */
import type { StackEnvironment } from './assembly';
import type { Json, JsonObject } from '../json';
import type { PublishedVersions } from './published-versions';

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** Unresolved. */
  readonly properties: JsonObject;
}

/** Resolves the properties of a stack's resources. */
export interface ResourceResolver {
  readonly stackName: string;
  readonly environment: StackEnvironment;
  readonly versions: PublishedVersions;
  resolve(value: Json): Json;
  property(resource: Resource, name: string): Json | undefined;
  /** A property that must be a string. */
  text(resource: Resource, name: string): string;
}
