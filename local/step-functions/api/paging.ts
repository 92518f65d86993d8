/** Pages of a list. */
import { ApiError } from './api-error';
import type { Parameters } from './parameters';

interface Listing<T> {
  /** Identifies an item of the list. */
  readonly idOf: (item: T) => string;
  /**
   * Which items to return. They may change from page to page.
   * @default - all
   */
  readonly keeps?: (item: T) => boolean;
}

/** Returns one page, and the token of the next one: the id of the last item, because a list may grow at both ends meanwhile. */
export function page<T>(
  all: readonly T[],
  parameters: Parameters,
  { idOf, keeps = () => true }: Listing<T>,
): { items: readonly T[]; nextToken?: string } {
  const size = parameters.pageSize();
  const token = parameters.text('nextToken', { from: 1, to: 3096 });
  const last = token === undefined ? undefined : Buffer.from(token, 'base64url').toString();
  const position = last === undefined ? -1 : all.findIndex((item) => idOf(item) === last);
  if (last !== undefined && position < 0)
    throw new ApiError('InvalidToken', "Invalid Token: 'Invalid token'");
  const rest = all.slice(position + 1).filter(keeps);
  const items = rest.slice(0, size);
  if (rest.length <= size) return { items };
  return { items, nextToken: Buffer.from(idOf(items[size - 1])).toString('base64url') };
}
