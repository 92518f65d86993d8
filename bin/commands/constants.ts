/** `sliced-inference constants prices|environment`: prints a file of constants to start from. */
import { Command } from 'commander';
import { printConstants } from '../../lib/cost/constants/constants-file';
import { ENVIRONMENT, PRICES } from '../../lib/cost/constants/defaults';
import { laidOut } from '../terminal/help';
import { print } from '../terminal/print';

const HELP = `
Prints all constants with their units and sources, as JSON. Keep the ones that you change, and remove the rest: a file names
only what it replaces. docs/costs.md describes them.

Examples:
  $ sliced-inference constants prices > prices.json
  $ sliced-inference plan model.onnx --prices prices.json
  $ sliced-inference constants environment > environment.json`;

export function constantsCommand(): Command {
  const command = new Command('constants')
    .description('print the prices or the times of AWS behind plans')
    .helpCommand(false)
    .addHelpText('after', laidOut(HELP));
  for (const [name, description, constants] of [
    ['prices', 'print the prices, for --prices', PRICES],
    ['environment', 'print how fast AWS is, for --environment', ENVIRONMENT],
  ] as const) {
    command
      .command(name)
      .description(description)
      .addHelpText('after', laidOut(`Examples:\n  $ sliced-inference constants ${name} > ${name}.json`))
      .action(() => {
        print(printConstants(name, constants));
      });
  }
  return command;
}
