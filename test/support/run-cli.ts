/** Runs the built command line. `cli` runs it as a user does, and reports the temporary files that it leaves. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { runHosted } from './hosted-command';
import { temporaryFolder } from './model-builder';

export const CLI = path.join(__dirname, '../../dist/bundle/sliced-inference.js');

interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called when the process has started, with the folder for its temporary files. */
  readonly onStart?: (child: ChildProcess, temporary: string) => void;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Temporary files that the command has not removed. */
  readonly leftovers: readonly string[];
}

/** Whether `run` writes this note, once for each runtime, depends on what is installed on the machine. */
const MISSING_NODE = /^note: the function '[^']+' declares nodejs\d+\.x, got no Node\.js [^\n]+\n/gm;

function withoutNotes(stderr: string): string {
  return stderr.replace(MISSING_NODE, '');
}

/** The commands of a test file share a cache, as the commands of a user do. */
let cache: string | undefined;

export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const temporary = temporaryFolder();
  cache ??= temporaryFolder();
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd,
    env: { ...process.env, TMPDIR: temporary, SLICED_INFERENCE_CACHE: cache, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => stdout.push(part));
  child.stderr.on('data', (part: Buffer) => stderr.push(part));
  options.onStart?.(child, temporary);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: withoutNotes(Buffer.concat(stderr).toString('utf8')),
        leftovers: fs.readdirSync(temporary),
      });
    });
  });
}

/** How a command ends: as a process of its own, if the test watches it or preloads a program. Otherwise in the process that commands share. */
export async function outcome(
  args: readonly string[],
  options: CliOptions = {},
): Promise<Pick<CliResult, 'code' | 'stdout' | 'stderr'>> {
  if (options.env?.NODE_OPTIONS === undefined && options.onStart === undefined) {
    cache ??= temporaryFolder();
    const env = { ...process.env, SLICED_INFERENCE_CACHE: cache, ...options.env };
    const result = await runHosted({ args, cwd: options.cwd ?? process.cwd(), env });
    return { ...result, stderr: withoutNotes(result.stderr) };
  }
  const { signal, leftovers, ...result } = await cli(args, options);
  expect({ signal, leftovers }).toEqual({ signal: null, leftovers: [] });
  return result;
}

/** Runs a command, expects it to succeed without messages, and returns its standard output. */
export async function succeed(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { stdout, ...rest } = await outcome(args, options);
  expect(rest).toEqual({ code: 0, stderr: '' });
  return stdout;
}

export async function succeedWithJson(args: readonly string[], options: CliOptions = {}): Promise<unknown> {
  return JSON.parse(await succeed([...args, '--json'], options));
}

/** Runs a command, expects it to refuse its input in one line, and returns that line without `error: `. */
export async function refuse(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { stderr, ...rest } = await outcome(args, options);
  expect({ ...rest, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: [^\n]+\n$/) as string,
  });
  return stderr.slice('error: '.length, -1);
}
