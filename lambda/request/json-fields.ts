/** Checks of JSON objects and their fields. */
import { invalidInput } from '../errors';
import { isRecord, kindOf, quotedName, type JsonRecord } from '../json-values';

/**
 * Returns `value` as a JSON object with no fields other than `allowed`.
 * @param subject the value's name in errors, such as "the execution's input"
 * @throws NamedFailure `InvalidInput`
 */
export function objectWithFields(value: unknown, allowed: readonly string[], subject: string): JsonRecord {
  const object = jsonObject(value, subject);
  const unknown = Object.keys(object).find((field) => !allowed.includes(field));
  if (unknown !== undefined) {
    throw invalidInput(
      `${subject} has the unknown field ${quotedName(unknown)}: use only ${allowed.join(', ')}`,
    );
  }
  return object;
}

/** @throws NamedFailure `InvalidInput` if `value` is not a JSON object */
export function jsonObject(value: unknown, subject: string): JsonRecord {
  if (isRecord(value)) return value;
  throw invalidInput(`${subject} must be a JSON object, got ${kindOf(value)}`);
}
