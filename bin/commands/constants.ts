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
  return new Command('constants')
    .description('print the prices or the times of AWS behind plans')
    .helpCommand(false)
    .addHelpText('after', laidOut(HELP))
    .addCommand(
      new Command('prices')
        .description('print the prices, for --prices')
        .addHelpText('after', laidOut('Examples:\n  $ sliced-inference constants prices > prices.json'))
        .action(() => {
          print(printConstants('prices', PRICES));
        }),
    )
    .addCommand(
      new Command('environment')
        .description('print how fast AWS is, for --environment')
        .addHelpText('after', laidOut('Examples:\n  $ sliced-inference constants environment > env.json'))
        .action(() => {
          print(printConstants('environment', ENVIRONMENT));
        }),
    );
}
