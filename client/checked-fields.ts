/** Checks the fields of JSON that another program may have written. */
import { isRecord } from '../lambda/json-values';

export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === 'string';

export function textLike(pattern: RegExp): Check {
  return (value) => typeof value === 'string' && pattern.test(value);
}

export const isCount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;

export const isNone: Check = (value) => value === undefined;

/** A newer program may have further fields. */
export function recordOf(fields: Readonly<Record<string, Check>>): Check {
  return (value) => isRecord(value) && Object.entries(fields).every(([name, fits]) => fits(value[name]));
}

export function listOf(fits: Check): Check {
  return (value) => Array.isArray(value) && value.every(fits);
}
