/** What the programs of the tests share: whole numbers as options, and errors in one line. */
import { type Command, InvalidArgumentError } from 'commander';

/** Parses an option. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Refuses arguments that are no options, prints errors in one line, and lets `parse` throw instead of ending the process. */
export function strict(command: Command): Command {
  return command
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: (text, write) => {
        write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
      },
    })
    .exitOverride();
}
