/**
 * Ends the workers of this process if it is killed. A frozen worker does not notice that its parent has ended, and a killed
 * process cannot clean up. So a shell in a session of its own waits until its standard input closes, which the kernel
 * does for each process that ends, and then kills the groups of processes that it was told last.
 */
import { type ChildProcess, spawn } from 'node:child_process';

const SCRIPT = `
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done`;

/** Process ids of the leaders of groups. */
const groups = new Set<number>();
let shell: ChildProcess | undefined;

export function guard(group: number): void {
  groups.add(group);
  tell();
}

/** Call it as soon as the group has ended: the system may give its id to another process. */
export function unguard(group: number): void {
  if (!groups.delete(group)) return;
  tell();
  if (groups.size > 0) return;
  shell?.stdin?.end();
  shell = undefined;
}

function tell(): void {
  shell ??= start();
  // A pipe takes a write of this size at once, so the shell knows a group before that group's first call.
  shell.stdin?.write(`${[...groups].join(' ')}\n`);
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
