/** `sliced-inference batch ARN`: runs a batch, attaches to it, stops it or repeats what failed. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { accountText, type Account } from '../batch/account';
import { prepareFolder } from '../batch/download';
import { BatchJob, type BatchOptions } from '../batch/job';
import { callFailure } from '../invoke/call-failure';
import { FAILED, TERMINATED } from '../process/exit-codes';
import { print, printJson, printLine } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import { SHELLS } from '../terminal/shells';
import { checkedArn } from './invoke';
import { ARCHITECTURES, choice } from './search-options';

const HELP = `
Needs the permissions of batch.grantStart. The batch goes on when the command ends: the same command attaches to it again. When it has
ended, the same command starts a rerun, which computes only what has no result. The price is modelled from list prices.

Examples:
  $ sliced-inference batch "$ARN"                                    # the items of the batch itself
  $ sliced-inference batch "$ARN" --inputs scans --out results       # uploads a folder, and downloads the results
  $ sliced-inference batch "$ARN" --inputs s3://BUCKET/inputs/docs/2026-11/ --json
  $ sliced-inference batch "$ARN" --inputs scans --stop
  $ sliced-inference batch "$ARN" --inputs scans --redrive           # repeats what failed or was stopped`;

export function batchCommand(): Command {
  return new Command('batch')
    .description('run many inputs through a deployed batch')
    .argument('<arn>', "ARN of the batch's state machine")
    .option('--inputs <place>', "s3://BUCKET/PREFIX, a folder or a file of items (default: the batch's own)")
    .addOption(
      new Option(
        '--name <name>',
        'begins the name of the execution; distinguishes batches of the same inputs',
      ).argParser(name),
    )
    .option('--out <folder>', 'folder for the table and the results')
    .addOption(
      choice('--architecture <name>', 'processors of the functions, for the price', ARCHITECTURES).default(
        'x86_64',
      ),
    )
    .addOption(new Option('--stop', 'stop the batch of these inputs').conflicts(['redrive', 'out']))
    .option('--redrive', 'repeat what failed of the latest batch of these inputs')
    .option('--json', 'print the account as JSON')
    .addHelpText('after', HELP)
    .action(run);
}

/** The digest of the inputs and a number follow, and names have at most 80 characters. */
function name(text: string): string {
  if (/^[A-Za-z0-9][\w-]{0,39}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 40 letters, digits, - and _.');
}

async function run(arn: string, options: BatchOptions): Promise<void> {
  // The SDK warns of Node.js versions that it will not support.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
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
      explainInterruption(stateMachineArn, options, job.batch?.executionArn);
      return;
    }
    await explainFailure(error, job, options);
  } finally {
    process.off('SIGTERM', interrupt);
    await job.close();
  }
}

function report(account: Account, { json }: BatchOptions): void {
  if (json) printJson(account);
  else print(`${account.executionArn}\n${accountText(account)}`);
  if (account.items.failed > 0) process.exitCode = FAILED;
}

function explainInterruption(
  arn: string,
  { inputs, name: own }: BatchOptions,
  executionArn: string | undefined,
): void {
  process.exitCode = TERMINATED;
  const quote = (text: string) => SHELLS.sh.set('', text).slice('export ='.length);
  const flags = [
    inputs !== undefined && `--inputs ${quote(inputs)}`,
    own !== undefined && `--name ${own}`,
  ].filter(Boolean);
  const command = ['sliced-inference batch', arn, ...flags].join(' ');
  if (executionArn === undefined) printLine(`note: nothing was started; this continues: ${command}`);
  else {
    printLine(`note: the batch goes on: ${executionArn}`);
    printLine(`note: this attaches again: ${command}`);
    printLine(`note: this stops it: ${command} --stop`);
  }
}

async function explainFailure(error: unknown, job: BatchJob, options: BatchOptions): Promise<void> {
  const failure = callFailure(error);
  if (failure === undefined) throw error;
  printLine(failure.line);
  process.exitCode = failure.exitCode;
  if (failure.exitCode !== FAILED || job.batch === undefined || !(error instanceof Error)) return;
  const account = await job.unfinished(error);
  if (options.json) printJson(account);
  else print(accountText(account));
}
