/**
 * Tells when the process that started this one has ended. `npx` starts a command through a shell, and passes signals only to that shell.
 * When a script kills `npx`, the command therefore gets no signal, but its parent ends.
 */

/** Node.js has no event for it. Reading the parent's id takes less than a microsecond. */
const POLL_MS = 100;

/**
 * Calls `onEnd` once the parent has ended. A parent that has ended before leaves no trace: such a process was started to outlive it, as
 * with `(command &)`. Does nothing on Windows, where a process keeps the id of a parent that has ended.
 * @returns what ends the watch
 */
export function watchParent(onEnd: () => void): () => void {
  if (process.platform === 'win32') return () => undefined;
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
