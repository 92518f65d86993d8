/** The commands. Exit codes: 0 success, 1 outputs differ or the execution failed, 2 bad usage or bad input. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../lib/host/packages';
import { batchCommand } from './commands/batch';
import { cacheCommand } from './commands/cache';
import { constantsCommand } from './commands/constants';
import { inspectCommand } from './commands/inspect';
import { invokeCommand } from './commands/invoke';
import { localCommand } from './commands/local';
import { planCommand } from './commands/plan';
import { clearProgress } from './terminal/progress';
import { profileCommand } from './commands/profile';
import { runCommand } from './commands/run';
import { sliceCommand } from './commands/slice';
import { missingModelHint } from './commands/slicing-options';
import { BAD_INPUT } from './process/exit-codes';
import { UNFINISHED_VARIABLE, removeUnfinished } from './process/unfinished';
import { verifyCommand } from './commands/verify';
import { oneLine } from '../lib/errors';
import { printLine, printLogLine } from './terminal/print';

/** If set, errors are printed with their stack traces, for bug reports. */
const DEBUG_VARIABLE = 'SLICED_INFERENCE_DEBUG';

const HELP = `
Examples:
  $ sliced-inference inspect model.onnx
  $ sliced-inference plan model.onnx --slices 3 --report report.html
  $ sliced-inference verify model.onnx --slices 3
  $ sliced-inference slice model.onnx --slices 3 --out slices
  $ sliced-inference run cdk.out --inputs x.npz --out y.npz
  $ sliced-inference local cdk.out
  $ sliced-inference invoke --state-machine "$ARN" --inputs x.npz --out y.npz

Exit codes: 0 success, 1 outputs differ or the execution failed, 2 bad usage or bad input.`;

/** Runs the command of `process.argv`. Its exit code is in `process.exitCode`. */
export async function main(): Promise<void> {
  const program = new Command('sliced-inference')
    .description('Slices ONNX models and runs them as pipelines of functions.')
    .version(packageVersion())
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => {
        write(`${oneLine(text)}${missingModelHint(text, process.argv)}\n`);
      },
    });
  const commands = [
    inspectCommand(),
    planCommand(),
    sliceCommand(),
    verifyCommand(),
    profileCommand(),
    constantsCommand(),
    runCommand(),
    localCommand(),
    invokeCommand(),
    batchCommand(),
    cacheCommand(),
  ];
  for (const command of commands) {
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
    for (const inner of command.commands) inner.exitOverride().copyInheritedSettings(program);
  }
  try {
    await program.parseAsync();
  } catch (error) {
    clearProgress();
    if (error instanceof CommanderError) {
      // Commander has printed its message. --help and --version also end here, with exit code 0.
      process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
      return;
    }
    printLine(`error: ${error instanceof Error ? error.message : String(error)}`);
    if (process.env[DEBUG_VARIABLE]) printLogLine(String((error as Error).stack));
    process.exitCode = BAD_INPUT;
  }
}

/** Ends this process and all processes that it started when its supervisor is killed. */
function endWithSupervisor(): void {
  process.on('disconnect', () => {
    removeUnfinished(process.env[UNFINISHED_VARIABLE] ?? '');
    fs.rmSync(os.tmpdir(), { recursive: true, force: true });
    process.kill(-process.pid, 'SIGKILL');
  });
  // The listener must not keep a finished command alive.
  process.channel?.unref();
}

/** Ends without an error when a reader such as `head` closes the pipe. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

if (require.main === module) {
  if (process.env[UNFINISHED_VARIABLE] !== undefined) endWithSupervisor();
  endWithReader();
  void main();
}
