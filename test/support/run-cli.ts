/** Runs the built command line. `cli` runs it as a user does, and reports the temporary files that it leaves. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './temporary-folder';

export const CLI = path.join(__dirname, '../../dist/bundle/sliced-inference.js');

interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called when the process has started, with the folder for its temporary files. */
  readonly onStart?: (child: ChildProcess, temporary: string) => void;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliResult extends Outcome {
  readonly signal: NodeJS.Signals | null;
  /** Temporary files that the command has not removed. */
  readonly leftovers: readonly string[];
}

/** Whether `run` writes this note, once for each runtime, depends on the Node.js of the tests. */
const OTHER_NODE = /^note: functions for Node\.js \d+ run with the Node\.js of this program, [\d.]+\n/gm;

function withoutNotes(stderr: string): string {
  return stderr.replace(OTHER_NODE, '');
}

/** The commands of a test file share a cache, as the commands of a user do. */
let cache: string | undefined;

function environment(temporary: string, own: CliOptions['env']): NodeJS.ProcessEnv {
  cache ??= temporaryFolder();
  return { ...process.env, TMPDIR: temporary, SLICED_INFERENCE_CACHE: cache, ...own };
}

export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const temporary = temporaryFolder();
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd,
    env: environment(temporary, options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  options.onStart?.(child, temporary);
  const [[code, signal], [stdout, stderr]] = await Promise.all([closed, output]);
  return { code, signal, stdout, stderr: withoutNotes(stderr), leftovers: fs.readdirSync(temporary) };
}

/** A process that runs the commands of a test file one after the other: see `command-host.cjs`. */
class CommandHost {
  private readonly child: ChildProcess;
  private last: Promise<unknown> = Promise.resolve();

  /** @param authorities the file with certificates, which Node.js reads when it starts */
  constructor(authorities: string | undefined) {
    this.child = fork(path.join(__dirname, 'command-host.cjs'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: authorities },
    });
    this.child.once('exit', () => {
      this.child.emit('error', new Error('the process of the commands ended'));
    });
  }

  run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
    const answer = this.last.then(async () => {
      this.child.send({ args, cwd, env });
      const [result] = (await once(this.child, 'message')) as [Outcome];
      return result;
    });
    this.last = answer;
    return answer;
  }

  async close(): Promise<void> {
    const ended = once(this.child.removeAllListeners('exit'), 'exit');
    this.child.disconnect();
    await ended;
  }
}

/** By the file with certificates. */
const hosts = new Map<string | undefined, CommandHost>();
afterAll(() => Promise.all([...hosts.values()].map((host) => host.close())));

/** All hosted commands of a test file share a folder for temporary files, which is removed after the tests. */
let shared: string | undefined;

/** How a command ends: as a process of its own, if the test watches it or preloads a program. Otherwise in the process that commands share. */
export async function outcome(args: readonly string[], options: CliOptions = {}): Promise<Outcome> {
  if (options.env?.NODE_OPTIONS === undefined && options.onStart === undefined) {
    shared ??= temporaryFolder();
    const env = environment(shared, options.env);
    const host = hosts.get(env.NODE_EXTRA_CA_CERTS) ?? new CommandHost(env.NODE_EXTRA_CA_CERTS);
    hosts.set(env.NODE_EXTRA_CA_CERTS, host);
    const result = await host.run(args, options.cwd ?? process.cwd(), env);
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
