/** URIs as Signature Version 4 writes them: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */

/** Percent-encodes all bytes but letters, digits, `-`, `.`, `_` and `~`. */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function encodePath(text: string): string {
  return encodeUri(text).replaceAll('%2F', '/');
}

export function queryOf(url: string): URLSearchParams {
  return new URLSearchParams(url.slice(rawPathOf(url).length));
}

/** The path of a request's URL as it was sent. `URL` would rewrite paths such as `a/../b`. */
export function rawPathOf(url: string): string {
  return url.split('?', 1)[0];
}
