/** Foreign names and paths as text in the files of an app. */
import { escaped } from '../../lib/errors';
import { escapedJson } from './print';

/** A string literal of JSON, of Python and, with single quotes where they are enough, of TypeScript. */
export function literal(text: string, quote: '"' | "'" = '"'): string {
  const json = escapedJson(JSON.stringify(text));
  return /['\\]/.test(json) ? json : `${quote}${json.slice(1, -1)}${quote}`;
}

/** The key of an object literal. `__proto__` as it is would set the object's prototype. */
export function key(name: string): string {
  if (name === '__proto__') return `['${name}']`;
  return /^[A-Za-z_]\w*$/.test(name) ? name : literal(name, "'");
}

/** Text in a comment or a Markdown document, in backticks. */
export function code(text: string): string {
  return `\`${escaped(text).replaceAll('`', "'").replaceAll('*/', '*')}\``;
}

/** Lines with this many blanks before them. */
export function indented(lines: readonly string[], blanks: number): string {
  return lines.map((line) => `${' '.repeat(blanks)}${line}\n`).join('');
}

const LONGEST_LIST = 80;

/** A list in one line or, if that is long, with an entry in each line. */
export function listed(open: string, entries: readonly string[], close: string): string[] {
  const line = `${open}${entries.join(', ')}${close}`;
  if (line.length <= LONGEST_LIST) return [line];
  return [open.trimEnd(), ...entries.map((entry) => `    ${entry},`), close.trimStart()];
}

/** A path as one word of a command in a shell. */
export function quotedForShell(folder: string): string {
  return /^[\w./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`;
}
