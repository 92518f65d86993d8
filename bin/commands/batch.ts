/** `sliced-inference batch ARN`: runs a batch, attaches to it or stops it. */
import { Command, Option } from 'commander';
import { accountText, type Account } from '../batch/account';
import { prepareFolder } from '../batch/download';
import { BatchJob, type BatchOptions } from '../batch/job';
import { callFailure } from '../invoke/call-failure';
import { failureLine } from '../outputs/failure-line';
import { FAILED, TERMINATED } from '../process/exit-codes';
import { laidOut } from '../terminal/help';
import { print, printJson, printLine } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import { checkedArn } from './invoke';
import { ARCHITECTURES, choice } from './search-options';

const HELP = `
Needs the permissions of batch.grantStart. The batch goes on when the command ends: the same command attaches to it again. When it has
ended, the same command starts a rerun, which computes only what has no result. The price is modelled from list prices.

Examples:
  $ sliced-inference batch "$ARN"  # the items of the batch itself
  $ sliced-inference batch "$ARN" --inputs scans --out results  # a folder
  $ sliced-inference batch "$ARN" --inputs s3://BUCKET/inputs/docs/ --json
  $ sliced-inference batch "$ARN" --inputs scans --stop`;

export function batchCommand(): Command {
  return new Command('batch')
    .description('run many inputs through a deployed batch')
    .argument('<arn>', "ARN of the batch's state machine")
    .option('--inputs <place>', "s3://BUCKET/PREFIX, a folder or a file of items (default: the batch's own)")
    .option('--out <folder>', 'folder for the table and the results')
    .addOption(
      choice('--architecture <name>', 'processors of the functions, for the price', ARCHITECTURES).default(
        'x86_64',
      ),
    )
    .option('--again', 'run all items, also those that have a result')
    .addOption(new Option('--stop', 'stop the batch of these inputs').conflicts(['out', 'again']))
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', laidOut(HELP))
    .action(run);
}

async function run(arn: string, options: BatchOptions): Promise<void> {
  const stateMachineArn = checkedArn(arn, 'the argument');
  if (options.out !== undefined) prepareFolder(options.out);
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort(new Error('the command was interrupted'));
  };
  process.once('SIGTERM', interrupt);
  const job = new BatchJob(stateMachineArn, options, interruption.signal);
  try {
    report(await job.run(), options);
  } catch (error) {
    clearProgress();
    if (interruption.signal.aborted) {
      process.exitCode = TERMINATED;
      printLine(`note: ${fateOf(job)}`);
      return;
    }
    const failure = callFailure(error);
    if (failure === undefined) throw error;
    printLine(failure.line);
    process.exitCode = failure.exitCode;
  } finally {
    process.off('SIGTERM', interrupt);
    await job.close();
  }
}

function report(account: Account, { json }: BatchOptions): void {
  const { executionArn, error, items } = account;
  if (json) printJson(account);
  else print(`${executionArn}\n${accountText(account)}`);
  if (error !== undefined) printLine(failureLine(error.name, error, executionArn));
  if (error !== undefined || items.failed > 0) process.exitCode = FAILED;
}

function fateOf({ batch }: BatchJob): string {
  if (batch === undefined) return 'no batch is known to run: the same command continues';
  return `the batch goes on: ${batch.executionArn}: the same command attaches again, and stops it with --stop`;
}
