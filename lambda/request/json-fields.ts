import { invalidInput } from '../errors';

/** `value` as a JSON object that has no fields but the allowed ones. `where` names it: "the execution's input". */
export function objectWithFields(
  value: unknown,
  allowed: readonly string[],
  where: string,
): Readonly<Record<string, unknown>> {
  const object = jsonObject(value, where);
  const unknown = Object.keys(object).find((field) => !allowed.includes(field));
  if (unknown !== undefined) {
    throw invalidInput(`${where} has the unknown field '${unknown}': it may have ${allowed.join(', ')}`);
  }
  return object;
}

export function jsonObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalidInput(`${where} must be a JSON object, got ${briefJson(value)}`);
}

/** A value as it may stand in a message. */
export function briefJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  const json = JSON.stringify(value);
  return json.length <= 60 ? json : `${json.slice(0, 59)}…`;
}
