/** Reads the numbers in the queries of operations that list. */
import { invalidArgument } from './errors';

/** The largest and the default number of entries of a page. */
const MAX_PAGE = 1000;

export function pageSize(query: URLSearchParams, name: string): number {
  return Math.min(wholeNumberParameter(query, name) ?? MAX_PAGE, MAX_PAGE);
}

export function wholeNumberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw invalidArgument(name, `Argument ${name} must be an integer between 0 and 2147483647`, text);
}
