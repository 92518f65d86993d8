/** Shows one line of progress on standard error if it is a terminal. */
import { oneLine } from '../../lib/errors';

const CLEAR_LINE = '\r\u001b[K';

export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${CLEAR_LINE}${oneLine(text)}`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
}
