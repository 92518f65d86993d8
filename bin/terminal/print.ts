/**
 * Writes what commands print. Names of a model, messages of AWS and of functions may hold characters that a terminal obeys, so only this
 * file and `progress.ts` write to standard output and standard error, and both escape these characters.
 */
import { escaped, oneLine } from '../../lib/errors';
import { unicodeEscape } from './escape';

/** Characters of JSON that a terminal may obey. JSON itself escapes those below a blank. */
const UNPRINTABLE_IN_JSON = /[\x7f-\x9f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Writes text of several lines, with their ends and tabs, to standard output. */
export function print(text: string): void {
  process.stdout.write(escapedLines(text));
}

export function printJson(value: unknown): void {
  printJsonText(JSON.stringify(value, undefined, 2) + '\n');
}

/** Writes JSON to standard output. The characters that a terminal may obey are only in strings, so an escape means the same. */
export function printJsonText(text: string): void {
  process.stdout.write(escapedJson(text));
}

export function escapedJson(text: string): string {
  return text.replaceAll(UNPRINTABLE_IN_JSON, unicodeEscape);
}

/** Writes commands that a shell evaluates to standard output, as they are. */
export function printCommands(commands: string): void {
  process.stdout.write(commands);
}

/** Writes one line to standard error. Line ends inside become blanks. */
export function printLine(text: string): void {
  process.stderr.write(`${oneLine(text)}\n`);
}

/** Writes a line of a log to standard error, with its tabs. */
export function printLogLine(text: string): void {
  process.stderr.write(`${escapedLines(text)}\n`);
}

function escapedLines(text: string): string {
  return text.replaceAll(/[^\n\t]+/g, escaped);
}
