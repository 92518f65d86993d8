/** `sliced-inference cost LOG...`: what runs cost, by list prices and their logs. */
import { Command } from 'commander';
import { billOf } from '../../lib/cost/bill';
import { DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from '../../lib/cost/constants/defaults';
import { valuesOf } from '../../lib/cost/constants/constant';
import { readPrices } from '../../lib/compile/files/read-constants';
import { SlicedInferenceError, printable } from '../../lib/errors';
import { describeBill } from '../cost/describe-bill';
import { collectLogs, readLogs, unreadLines } from '../logs/collect';
import { print, printJson } from '../terminal/print';
import { ARCHITECTURES, choice } from './search-options';

interface Options {
  readonly prices?: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly run?: string;
  readonly json?: boolean;
}

/** The tensors of a run expire after a day, unless the pipeline says otherwise. */
const RETENTION_DAYS = 1;

const HELP = `
Multiplies what the functions logged of each call, and the billed duration of Lambda's REPORT lines, by list prices. The files
may be those of \`aws logs filter-log-events\`, or have the lines of \`sliced-inference local --logs\`. docs/costs.md has the
commands that gather them. Logs, traces, metrics and the storage of the slices are not included.

Examples:
  $ sliced-inference cost runs-*.json
  $ sliced-inference cost functions.log --run 0f3c9a1e    # one run, by a part of its name or of its execution's ARN
  $ sliced-inference cost functions.log --prices prices.json --json`;

export function costCommand(): Command {
  return new Command('cost')
    .description('add up what runs cost, from their logs')
    .argument('<logs...>', 'files with the logs of the functions')
    .option('--run <text>', 'only runs whose name or execution contains this text')
    .option('--prices <file>', 'JSON file of prices that replace list prices; see `constants prices`')
    .addOption(
      choice('--architecture <name>', 'processors of the functions', ARCHITECTURES).default('x86_64'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(run);
}

function run(logs: readonly string[], { prices, architecture, run: wanted, json }: Options): void {
  const collected = collectLogs(readLogs(logs));
  const calls =
    wanted === undefined
      ? collected.calls
      : collected.calls.filter(({ run: name, executionArn }) =>
          [name, executionArn].some((text) => text?.includes(wanted)),
        );
  if (calls.length === 0) {
    const of = wanted === undefined ? '' : ` of a run with '${printable(wanted, 80)}'`;
    throw new SlicedInferenceError(
      `the logs must have lines of slice functions${of}`,
      `${collected.calls.length} calls, ${unreadLines(collected)}`,
      'gather the logs with the commands of docs/costs.md',
    );
  }
  const bill = billOf(calls, wanted === undefined ? collected.others : [], {
    architecture,
    prices: prices === undefined ? DEFAULT_PRICES : valuesOf(readPrices(prices)),
    environment: DEFAULT_ENVIRONMENT,
    retentionDays: RETENTION_DAYS,
  });
  const { skipped, refused } = collected;
  if (json) printJson({ ...bill, skippedLines: skipped, refusedLines: refused });
  else print(describeBill(bill, collected));
}
