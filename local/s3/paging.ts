/** Reads the numbers in the queries of list operations. */
import { S3Error } from './errors';

/** The largest and the default number of entries of a page. */
const MAX_PAGE = 1000;

export function pageSize(query: URLSearchParams, name: string): number {
  return Math.min(wholeNumberParameter(query, name) ?? MAX_PAGE, MAX_PAGE);
}

export function wholeNumberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,10}$/.test(text))
    throw new S3Error('InvalidArgument', `${name} must be a whole number, got '${text}'`);
  return Number(text);
}
