/** JSON of values that callers pass or functions return, which holds all of them. */
import { quotedName } from '../lambda/json-values';
import { kindOfArray } from './tensors/array-kinds';

/**
 * @param refused the error for a value that JSON would turn into something else, or that would fail without saying where it is
 * @returns undefined for a value without JSON, such as a function
 */
export function strictJson(
  value: unknown,
  refused: (got: string, advice: string) => Error,
): string | undefined {
  let refusal: Error | undefined;
  try {
    return JSON.stringify(value, (key, field: unknown) => {
      const fault = faultOf(field);
      if (fault === undefined) return field;
      refusal = refused(`${fault.got}${key === '' ? '' : ` as ${quotedName(key)}`}`, fault.advice);
      throw refusal;
    });
  } catch {
    // The engine's message quotes the names of the fields.
    throw refusal ?? refused('a value with a circle, or too deep a one', 'convert it');
  }
}

function faultOf(value: unknown): { readonly got: string; readonly advice: string } | undefined {
  if (ArrayBuffer.isView(value))
    return { got: `a ${kindOfArray(value)}`, advice: 'use Array.from or toNestedArray' };
  if (typeof value === 'bigint') return { got: 'a bigint', advice: 'convert it with Number or String' };
  if (typeof value === 'number' && !Number.isFinite(value))
    return { got: 'a number that is not finite', advice: 'use null or a text instead' };
  return undefined;
}
