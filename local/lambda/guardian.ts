/**
 * Ends the workers of this process and removes its folders when it ends, also if it is killed. A frozen worker does not notice
 * that its parent has ended, and a killed process cannot clean up. So a shell in a session of its own waits until its standard input
 * closes, which the kernel does for each process that ends. Then it kills the groups of processes and removes the folders
 * that it was told last.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { systemErrorCode } from '../local-cloud-error';

const IS_WINDOWS = process.platform === 'win32';

/** A killed worker may still finish a system call that makes a file, and so the removal of its folder fails. */
const SCRIPT = `
while read -r kind value; do
  case $kind in
    groups) groups=$value folders= ;;
    folder) folders="$folders$value
" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
printf %s "$folders" | while IFS= read -r folder; do
  for pause in 1 1 1 0; do rm -rf -- "$folder" && break; sleep $pause; done
done`;

/** Process ids of the leaders of groups. */
const groups = new Set<number>();
const folders = new Set<string>();
let shell: ChildProcess | undefined;

/** Has the processes of a group killed. There are no groups on Windows. */
export function guard(group: number): void {
  groups.add(group);
  tell();
}

/** Call it as soon as the group has ended: the system may give its id to another process. */
export function unguard(group: number): void {
  groups.delete(group);
  tell();
}

/** Has a folder removed. If this process is killed, its absolute path must not end with a space. */
export function guardFolder(folder: string): void {
  if (folders.size === 0) process.on('exit', onExit);
  folders.add(folder);
  tell();
}

export function unguardFolder(folder: string): void {
  folders.delete(folder);
  if (folders.size === 0) process.off('exit', onExit);
  tell();
}

/** Leaves nothing when this process exits by itself, also on Windows, which has no such shell. */
function onExit(): void {
  for (const group of groups) signalGroup(group, 'SIGKILL');
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
}

/** Ignores a group that has just ended by itself. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

function tell(): void {
  if (IS_WINDOWS) return;
  shell ??= start();
  // The shell reads one path a line, and half of a path would be another folder.
  const guarded = [...folders].filter((folder) => !folder.includes('\n'));
  const lines = [`groups ${[...groups].join(' ')}`, ...guarded.map((folder) => `folder ${folder}`)];
  // A pipe takes a write of this size at once, so the shell knows a group before that group's first call.
  shell.stdin?.write(`${lines.join('\n')}\n`);
  if (groups.size + folders.size > 0) return;
  shell.stdin?.end();
  shell = undefined;
}

function start(): ChildProcess {
  const started = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of reach of a Ctrl-C in the terminal, which ends this process.
    detached: true,
  });
  const gone = (): void => {
    if (shell === started) shell = undefined;
  };
  started.once('error', gone).once('exit', gone);
  // The shell was killed: the next change starts another one.
  started.stdin.on('error', gone);
  // Neither may keep this process alive.
  started.unref();
  (started.stdin as unknown as { unref(): void }).unref();
  return started;
}
