/** Reads the numbers in queries: sizes of pages and numbers of parts. */
import { invalidArgument } from './errors';

const MAX_PAGE = 1000;

export function pageSize(query: URLSearchParams, name: string): number {
  return Math.min(wholeNumberParameter(query, name) ?? MAX_PAGE, MAX_PAGE);
}

function wholeNumberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw invalidArgument(name, `Argument ${name} must be an integer between 0 and 2147483647`, text);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

export function partNumber(query: URLSearchParams): number {
  const number = wholeNumberParameter(query, 'partNumber') ?? 0;
  if (number >= 1 && number <= MAX_PARTS) return number;
  throw invalidArgument(
    'partNumber',
    `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    query.get('partNumber') ?? '',
  );
}
