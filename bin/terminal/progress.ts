/** Shows one line of progress on standard error if it is a terminal. Of a longer text, it shows the end, which has the sizes. */
import { oneLine } from '../../lib/errors';

const CLEAR_LINE = '\r\u001b[K';
/** Of a terminal that does not tell. */
const COLUMNS = 80;

export function showProgress(text: string): void {
  if (!process.stderr.isTTY) return;
  const line = oneLine(text);
  // More text would wrap into a second row, and only the last row is cleared.
  const left = line.length - (process.stderr.columns || COLUMNS) + 1;
  process.stderr.write(`${CLEAR_LINE}${left > 0 ? `…${line.slice(left + 1)}` : line}`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
}
