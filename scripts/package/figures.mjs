// Prints sizes and times.

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} seconds */
export function inSeconds(seconds) {
  return `${seconds.toFixed(1)} s`;
}

/** Returns how long a piece of work takes. */
export function timed(work) {
  const start = performance.now();
  work();
  return inSeconds((performance.now() - start) / 1000);
}
