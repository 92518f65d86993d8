/** Pages of a list. */
import { ApiError } from './errors';
import type { Parameters } from './parameters';

interface Listing<T> {
  /** The operation with the parameters that decide the order of the list. A token of another listing is refused. */
  readonly name: string;
  /** Identifies an item of the list. */
  readonly idOf: (item: T) => string;
  /**
   * Which items to return. They may change from page to page.
   * @default - all
   */
  readonly keeps?: (item: T) => boolean;
}

/**
 * Returns one page, and the token of the next one. A token names the last item of its page: a list may grow at both ends
 * while a client reads it. Its form is private to the local cloud.
 */
export function page<T>(
  all: readonly T[],
  parameters: Parameters,
  { name, idOf, keeps = () => true }: Listing<T>,
): { items: readonly T[]; nextToken?: string } {
  const size = parameters.pageSize();
  const token = parameters.text('nextToken', { from: 1, to: 3096 });
  const last = token === undefined ? undefined : lastId(token, name);
  const position = last === undefined ? -1 : all.findIndex((item) => idOf(item) === last);
  if (last !== undefined && position < 0) throw invalidToken();
  const rest = all.slice(position + 1).filter(keeps);
  const items = rest.slice(0, size);
  return { items, ...(rest.length > size && { nextToken: tokenOf(name, idOf(items[size - 1])) }) };
}

function tokenOf(name: string, id: string): string {
  return Buffer.from(JSON.stringify([name, id])).toString('base64url');
}

function lastId(token: string, name: string): string {
  const [start, end] = [`[${JSON.stringify(name)},`, ']'];
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith(start) || !text.endsWith(end)) throw invalidToken();
  const id = parse(text.slice(start.length, -end.length));
  if (typeof id !== 'string') throw invalidToken();
  return id;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A client can send anything as a token.
    return undefined;
  }
}

function invalidToken(): ApiError {
  return new ApiError('InvalidToken', "Invalid Token: 'Invalid token'");
}
