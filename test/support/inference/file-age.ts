/** Lets the library read files at once that have just been written. */

/** Longer than any tick of a file system's clock. */
const FILE_AGE_MS = 5000;

/**
 * A replacement for `Date.now` that makes new files look old. The library waits for up to 2 s before it reads a file
 * that has just changed, so that a further change would show in the file's times. Use this only if no file changes after
 * the library has read it.
 */
export function timeAhead(): number {
  return new Date().getTime() + FILE_AGE_MS;
}
