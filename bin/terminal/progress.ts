/** One line of progress on a terminal's standard error; nothing in a pipe. */

const CLEAR_LINE = '\r\u001b[K';

export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${CLEAR_LINE}${text}`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
}
