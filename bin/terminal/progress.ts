/** Shows progress on standard error: in a terminal as one line, elsewhere as a note from time to time. */
import { oneLine } from '../../lib/errors';
import { printLine } from './print';

const CLEAR_LINE = '\r\u001b[K';
/** Of a terminal that does not tell. */
const COLUMNS = 80;

/** Between two notes in the log of a command, and before the first one. */
const NOTE_MS = 60_000;

let notedAt: number | undefined;

/** Of a text that is longer than a line of the terminal, it shows the end, which has the sizes. */
export function showProgress(text: string): void {
  const line = oneLine(text);
  if (!process.stderr.isTTY) {
    note(line);
    return;
  }
  // More text would wrap into a second row, and only the last row is cleared.
  const left = line.length - (process.stderr.columns || COLUMNS) + 1;
  process.stderr.write(`${CLEAR_LINE}${left > 0 ? `…${line.slice(left + 1)}` : line}`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
}

function note(line: string): void {
  const now = performance.now();
  notedAt ??= now;
  if (now - notedAt < NOTE_MS) return;
  notedAt = now;
  printLine(`note: ${line}`);
}
