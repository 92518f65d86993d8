#!/usr/bin/env node
/** The command line. Exit codes: 0 success, 1 the answer is no, 2 bad usage or bad input. */
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../lib/package-files';
import { inspectCommand } from './inspect';
import { clearProgress } from './progress';
import { runCommand } from './run';
import { sliceCommand } from './slice';
import { verifyCommand } from './verify';

const BAD_INPUT = 2;

async function main(): Promise<void> {
  const program = new Command('sliced-inference')
    .description('Slices ONNX models and runs them as pipelines of functions.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  for (const command of [inspectCommand(), sliceCommand(), verifyCommand(), runCommand()]) {
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
  }
  try {
    await program.parseAsync();
  } catch (error) {
    clearProgress();
    if (error instanceof CommanderError) {
      // Commander has printed its message; asking for help or the version is no error.
      process.exitCode = error.exitCode === 0 ? 0 : BAD_INPUT;
      return;
    }
    process.stderr.write(`error: ${oneLine(error)}\n`);
    if (process.env.DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
    process.exitCode = BAD_INPUT;
  }
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}

void main();
