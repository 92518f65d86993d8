/** Pages of a list. */
import { ApiError } from './errors';
import type { Parameters } from './parameters';

/** Returns one page, and the token of the next one. Its form is private to the local cloud. */
export function page<T>(
  all: readonly T[],
  parameters: Parameters,
): { items: readonly T[]; nextToken?: string } {
  const size = parameters.pageSize();
  const token = parameters.text('nextToken', { from: 1, to: 3096 });
  const from = token === undefined ? 0 : offset(token);
  const to = from + size;
  return { items: all.slice(from, to), ...(to < all.length && { nextToken: tokenOf(to) }) };
}

function tokenOf(position: number): string {
  return Buffer.from(`page:${position}`).toString('base64url');
}

function offset(token: string): number {
  const match = /^page:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw new ApiError('InvalidToken', "Invalid Token: 'Invalid token'");
  return Number(match[1]);
}
