/**
 * Runs the commands in a process of their own and tidies up after it. They read and write models synchronously, as
 * synthesis has to, and such work can neither react to Ctrl-C nor clean up when it is killed: this process can.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { systemReason } from '../../lib/errors';
import { UNFINISHED_VARIABLE, removeUnfinished } from './unfinished';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const BAD_INPUT = 2;

/** Killed processes are waited for, but not for ever: where nobody collects the dead, they stay listed. */
const PATIENCE_MS = 250;
const POLL_MS = 5;

/** Ends this process as the script's ends: with its exit code, or by the signal that stopped it. */
export async function supervise(script: string, args: readonly string[]): Promise<void> {
  let child: ChildProcess | undefined;
  let stopped: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    // Asked twice, it is no longer asked politely.
    if (child) killGroup(child, stopped === undefined ? 'SIGTERM' : 'SIGKILL');
    stopped ??= signal;
  };
  for (const signal of SIGNALS) process.on(signal, stop);

  const folder = makeTemporaryFolder();
  if (folder === undefined) return;
  const unfinished = path.join(folder, 'unfinished.json');
  try {
    child = spawn(process.execPath, [...process.execArgv, script, ...args], {
      // The channel closes when this process is killed, which tells the script to go.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...temporaryFolderVariables(folder), [UNFINISHED_VARIABLE]: unfinished },
      // A group of its own, so that what the script starts ends with it.
      detached: process.platform !== 'win32',
    });
    process.exitCode = exitCode(await ended(child), stopped);
    await endGroup(child);
  } finally {
    removeUnfinished(unfinished);
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  // The caller, a shell's loop for one, has to see that this was a signal.
  if (stopped !== undefined) process.kill(process.pid, stopped);
}

/** Everything temporary lands in one folder: removing that removes all, whatever happened. */
function makeTemporaryFolder(): string | undefined {
  try {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-'));
  } catch (error) {
    process.stderr.write(
      `error: the folder for temporary files '${os.tmpdir()}' must be writable, got ${systemReason(error)}: ` +
        'set TMPDIR to another\n',
    );
    process.exitCode = BAD_INPUT;
    return undefined;
  }
}

function temporaryFolderVariables(folder: string): Record<string, string> {
  return process.platform === 'win32' ? { TEMP: folder, TMP: folder } : { TMPDIR: folder };
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

function exitCode({ code, signal }: End, stopped: NodeJS.Signals | undefined): number {
  if (code !== null) return code;
  if (stopped === undefined) {
    process.stderr.write(
      `error: the command's process must end by itself, got an end by ${signal ?? 'a signal'}: ` +
        'check that there is enough memory\n',
    );
  }
  return BAD_INPUT;
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It has ended already.
    return false;
  }
}

/** Kills what is left of a group and waits until it is gone, so that nothing writes any more. */
async function endGroup(child: ChildProcess): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS && killGroup(child, 'SIGKILL'); waited += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
