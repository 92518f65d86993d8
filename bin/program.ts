/** The commands. Exit codes: 0 success, 1 outputs differ or the execution failed, 2 bad usage or bad input. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../lib/host/packages';
import { batchCommand } from './commands/batch';
import { cacheCommand } from './commands/cache';
import { calibrateCommand } from './commands/calibrate';
import { constantsCommand } from './commands/constants';
import { initCommand } from './commands/init';
import { inspectCommand } from './commands/inspect';
import { invokeCommand } from './commands/invoke';
import { localCommand } from './commands/local';
import { planCommand } from './commands/plan';
import { runCommand } from './commands/run';
import { sliceCommand } from './commands/slice';
import { missingModelHint } from './commands/slicing-options';
import { BAD_INPUT } from './process/exit-codes';
import { UNFINISHED_VARIABLE, removeUnfinished } from './process/unfinished';
import { verifyCommand } from './commands/verify';
import { oneLine } from '../lib/errors';
import { helpWidth, laidOut, unknownHint } from './terminal/help';
import { printLine, printLogLine } from './terminal/print';
import { clearProgress } from './terminal/progress';

/** If set, errors are printed with their stack traces, for bug reports. */
const DEBUG_VARIABLE = 'SLICED_INFERENCE_DEBUG';

const HELP = `
Examples:
  $ sliced-inference inspect model.onnx
  $ sliced-inference plan model.onnx --slices 3 --report report.html
  $ sliced-inference init --model model.onnx
  $ sliced-inference verify model.onnx --slices 3
  $ sliced-inference slice model.onnx --slices 3 --out slices
  $ sliced-inference run cdk.out --inputs x.npz --out y.npz
  $ sliced-inference local cdk.out
  $ sliced-inference invoke --state-machine "$ARN" --inputs x.npz --out y.npz

Exit codes: 0 success, 1 outputs differ or the execution failed, 2 bad usage or bad input.`;

const HELP_FLAG = ['-h, --help', 'show this help'] as const;

/** In the order in which a user meets them. */
const COMMANDS: Readonly<Record<string, readonly (() => Command)[]>> = {
  'Start:': [inspectCommand, planCommand, initCommand],
  'Slice and check:': [sliceCommand, verifyCommand, constantsCommand],
  'Run:': [runCommand, localCommand, invokeCommand, batchCommand, calibrateCommand],
  'Other:': [cacheCommand],
};

function commandLine(): Command {
  const program = new Command('sliced-inference')
    .description('slice ONNX models, and run them as pipelines of functions')
    .version(packageVersion(), '-V, --version', 'print the version')
    .addHelpText('after', laidOut(HELP))
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      getOutHelpWidth: helpWidth,
      getErrHelpWidth: helpWidth,
      outputError: (text, write) => {
        write(`${oneLine(text)}${unknownHint(text)}${missingModelHint(text, process.argv)}\n`);
      },
    });
  for (const [heading, commands] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    for (const make of commands) {
      const command = make();
      program.addCommand(command);
      for (const own of [command, ...command.commands])
        own
          .exitOverride()
          .copyInheritedSettings(program)
          .helpOption(...HELP_FLAG);
    }
  }
  return program.helpOption(...HELP_FLAG).helpCommand('help [command]', 'show the help of a command');
}

/** Runs the command of `process.argv`. Its exit code is in `process.exitCode`. */
export async function main(): Promise<void> {
  // The AWS SDK warns of Node.js versions that it will not support. Users of a command cannot choose its SDK.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const program = commandLine();
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
