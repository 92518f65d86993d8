/** The parts of a request's URL. */

export function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.slice(rawPathOf(url).length));
}

/** The path as it was sent. `URL` would rewrite paths such as `a/../b`. */
export function rawPathOf(url: string): string {
  return url.split('?', 1)[0];
}
