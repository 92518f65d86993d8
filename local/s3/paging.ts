/** Reads the numbers in the queries and headers of operations that list. */
import { invalidArgument } from './errors';
import type { Headers } from './request-headers';

/** The largest and the default number of entries of a page. */
const MAX_PAGE = 1000;

export function pageSize(query: URLSearchParams, name: string): number {
  return limited(wholeNumberParameter(query, name));
}

export function pageSizeInHeader(headers: Headers, name: string): number {
  return limited(wholeNumber(headers[name], name));
}

function limited(size = MAX_PAGE): number {
  return Math.min(size, MAX_PAGE);
}

export function wholeNumberParameter(query: URLSearchParams, name: string): number | undefined {
  return wholeNumber(query.get(name) ?? undefined, name);
}

export function wholeNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw invalidArgument(name, `Argument ${name} must be an integer between 0 and 2147483647`, text);
}
