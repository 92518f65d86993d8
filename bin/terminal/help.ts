/** The layout of what `--help` prints: groups of commands, prose that fits the terminal, and which command a user asks help for. */
import { type Command, Help } from 'commander';

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

const HELP_WORDS = ['help', '--help', '-h'];

/**
 * The arguments with `help COMMAND` as `COMMAND --help`. Commander shows the help of the program for an unknown command with
 * `--help`, so such a command stands alone here, and Commander refuses it.
 */
export function helpArguments(program: Command, args: readonly string[]): string[] {
  const words = [...args];
  let command = program;
  let asksHelp = false;
  for (let place = 0; command.commands.length > 0 && place < words.length;) {
    const word = words[place];
    if (HELP_WORDS.includes(word)) {
      asksHelp = true;
      words.splice(place, 1);
      continue;
    }
    if (word.startsWith('-')) break;
    const found = command.commands.find((own) => own.name() === word);
    if (found === undefined) return words.slice(0, place + 1);
    command = found;
    place++;
  }
  return asksHelp ? [...words, '--help'] : words;
}

/** Says where the commands or the flags are listed, after an unknown one that resembles none. */
export function unknownHint(error: string): string {
  const unknown = /unknown (command|option) (?!.*Did you mean)/s.exec(error);
  return unknown === null ? '' : `: --help lists the ${unknown[1]}s`;
}
