/**
 * Runs a command in a child process and cleans up after it. Commands read and write models synchronously, because
 * synthesis must. Meanwhile the child can neither react to Ctrl-C nor clean up when it is killed; this process can.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { systemReason } from '../../lib/errors';
import { BAD_INPUT } from './exit-codes';
import { UNFINISHED_VARIABLE, removeUnfinished } from './unfinished';
import { printLine } from '../terminal/print';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long to wait for killed processes. If no parent reaps them, they stay in the process table forever. */
const PATIENCE_MS = 250;
const POLL_MS = 5;

/** Calls `onEnd` when the script has to end although no signal says so. Returns what ends the watch. */
type Watch = (onEnd: () => void) => () => void;

/**
 * Runs a script, then ends this process as the script ended: with its exit code or by the signal that stopped it.
 * @param watch what else ends the script, as SIGTERM does
 */
export async function supervise(script: string, args: readonly string[], watch?: Watch): Promise<void> {
  let child: ChildProcess | undefined;
  let isAsked = false as boolean;
  let stopped: NodeJS.Signals | undefined;
  let requests = 0;
  // A second SIGTERM would end a script that cleans up after the first one.
  const ask = (): void => {
    if (child && !isAsked) killGroup(child, 'SIGTERM');
    isAsked = true;
  };
  const stop = (signal: NodeJS.Signals): void => {
    ask();
    // The shell and the system may both send SIGHUP when a terminal closes. A second one of the others says that the user waits no longer.
    if (signal !== 'SIGHUP') requests++;
    if (child && requests > 1) killGroup(child, 'SIGKILL');
    stopped ??= signal;
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  // It is no signal: one signal to a whole process group stops this process and also ends its parent.
  const unwatch = watch?.(ask);

  const folder = makeTemporaryFolder();
  if (folder === undefined) return;
  const unfinished = path.join(folder, 'unfinished.json');
  try {
    child = spawn(process.execPath, [...process.execArgv, script, ...args], {
      // The channel closes when this process is killed; then the script ends itself.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...temporaryFolderVariables(folder), [UNFINISHED_VARIABLE]: unfinished },
      // Start a process group, so that the processes that the script starts end with it.
      detached: process.platform !== 'win32',
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    process.exitCode = code ?? interrupted(signal, isAsked);
    await endGroup(child);
  } finally {
    removeUnfinished(unfinished);
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    unwatch?.();
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  // The caller, for example a loop in a shell, must see that a signal ended the command.
  if (isAsked) process.kill(process.pid, stopped ?? 'SIGTERM');
}

/** Makes one folder for all temporary files, so that removing it removes them all. */
function makeTemporaryFolder(): string | undefined {
  try {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-'));
  } catch (error) {
    printLine(
      `error: the folder for temporary files '${os.tmpdir()}' must be writable, got ${systemReason(error)}: ` +
        'set TMPDIR to another folder',
    );
    process.exitCode = BAD_INPUT;
    return undefined;
  }
}

function temporaryFolderVariables(folder: string): Record<string, string> {
  return process.platform === 'win32' ? { TEMP: folder, TMP: folder } : { TMPDIR: folder };
}

/** The exit code of a process that a signal has ended, for which nobody may have asked. */
function interrupted(signal: NodeJS.Signals | null, isAsked: boolean): number {
  if (!isAsked) {
    printLine(
      `error: the command's process must end by itself, got an end by ${signal ?? 'a signal'}: ` +
        'check that there is enough memory',
    );
  }
  return BAD_INPUT;
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // The process has already ended.
    return false;
  }
}

/** Kills the rest of a process group and waits until it is gone, so that it writes no more files. */
async function endGroup(child: ChildProcess): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS && killGroup(child, 'SIGKILL'); waited += POLL_MS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
