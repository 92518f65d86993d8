/** Refuses by name what the local cloud does not know about a resource. */
import { type LocalCloudError, unsupported } from '../local-cloud-error';
import { isJsonObject, type Json, type JsonObject } from '../json';
import type { Resource } from './resource';

export interface KnownProperties {
  readonly used: readonly string[];
  /** Those that change nothing on one machine. They are not resolved, so they may refer to anything. */
  readonly withoutEffect: readonly string[];
}

export function checkProperties(resource: Resource, { used, withoutEffect }: KnownProperties): void {
  for (const name of Object.keys(resource.properties)) {
    if (used.includes(name) || withoutEffect.includes(name)) continue;
    throw unsupported(`the property ${name} of ${describe(resource)}`);
  }
}

export function checkFields(
  resource: Resource,
  property: string,
  value: Json,
  known: readonly string[],
): JsonObject {
  if (!isJsonObject(value)) throw unknownValue(resource, property, value);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw unsupported(`the property ${property}.${name} of ${describe(resource)}`);
  }
  return value;
}

export function unknownValue(resource: Resource, property: string, value: Json): LocalCloudError {
  return unsupported(`the ${property} ${JSON.stringify(value)} of ${describe(resource)}`);
}

function describe({ type, logicalId }: Resource): string {
  return `${type} '${logicalId}'`;
}
