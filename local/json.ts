/** JSON as a type: what templates, definitions and execution states are made of. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function entriesOf(object: JsonObject): [string, Json][] {
  return Object.entries(object).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

export function isJsonArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Size in bytes of a value as UTF-8 JSON, the way AWS counts payloads. */
export function jsonSize(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}
