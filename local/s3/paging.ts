/** The numbers in the queries of lists. */
import { S3Error } from './errors';

/** Most entries of a page, and how many it has when the request does not say. */
const MAX_PAGE = 1000;

export function pageSize(query: URLSearchParams, name: string): number {
  return Math.min(wholeNumberParameter(query, name) ?? MAX_PAGE, MAX_PAGE);
}

export function wholeNumberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new S3Error('InvalidArgument', `${name} is '${text}'`);
  return Number(text);
}
