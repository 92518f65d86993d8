/** Priorities of processes, which decide between the functions that share a machine. */
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import { setPriority } from '../../../local/lambda/priority';

const LOW = os.constants.priority.PRIORITY_LOW;

/** A process that leads a session, as the process of a sandbox does. */
function waiting(): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], {
    detached: true,
    stdio: 'ignore',
  });
  if (child.pid === undefined) throw new Error('the process did not start');
  return child as ChildProcess & { readonly pid: number };
}

function isGrouped(): boolean {
  const file = '/proc/sys/kernel/sched_autogroup_enabled';
  return fs.existsSync(file) && fs.readFileSync(file, 'utf8').trim() === '1';
}

/** The level that decides on this machine: that of the session, or else that of the process. */
function levelOf(pid: number): number {
  if (!isGrouped()) return os.getPriority(pid);
  return Number(/nice (-?\d+)/.exec(fs.readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1]);
}

test('a process gets a low priority', () => {
  const child = waiting();
  try {
    setPriority(child.pid, 'low');
    expect(levelOf(child.pid)).toBe(LOW);
  } finally {
    child.kill('SIGKILL');
  }
});

test('nothing happens to a process that has ended', async () => {
  const child = waiting();
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  expect(() => {
    setPriority(child.pid, 'low');
  }).not.toThrow();
});
