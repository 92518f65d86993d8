/**
 * Tells when the process that started this one has ended. `npx` starts a command through a shell, and passes the signals that it gets only to
 * that shell. Of a script's `kill`, a command that serves until it is stopped sees nothing but this.
 */

/** Node.js has no event for it. Reading the parent's id takes less than a microsecond. */
const POLL_MS = 100;

/**
 * Calls `onEnd` once the parent has ended. A parent that has ended before leaves no trace: such a process was started to outlive it, as
 * with `(command &)`. Windows keeps the id of a parent that has ended, so nothing is called there.
 * @returns what ends the watch
 */
export function watchParent(onEnd: () => void): () => void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onEnd();
  }, POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
