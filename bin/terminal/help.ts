/** The layout of what `--help` prints: prose that fits the terminal. */
import { Help } from 'commander';

/** Longer lines are hard to read. */
const MOST_COLUMNS = 100;

/** The width of a terminal; 80 columns for a file or a pipe. */
export function helpWidth(): number {
  return Math.min(process.stdout.columns || 80, MOST_COLUMNS);
}

/**
 * Text for `addHelpText('after', …)`: its paragraphs are wrapped when they are printed. A paragraph with an indented line, such as
 * examples, stays as it is, in at most 80 columns.
 */
export function laidOut(text: string): () => string {
  const layout = new Help();
  return () => {
    const paragraphs = text.trim().split(/\n{2,}/);
    const wrapped = paragraphs.map((paragraph) =>
      /^ {2}/m.test(paragraph) ? paragraph : layout.boxWrap(paragraph.replaceAll('\n', ' '), helpWidth()),
    );
    return `\n${wrapped.join('\n\n')}`;
  };
}

/** Says where the commands or the flags are listed, after an unknown one that resembles none. */
export function unknownHint(error: string): string {
  const unknown = /unknown (command|option) (?!.*Did you mean)/s.exec(error);
  return unknown === null ? '' : `: --help lists the ${unknown[1]}s`;
}
