/**
 * On Lambda each function has processors of its own. Here all share those of this machine, so calls that nobody waits for run
 * at a low priority: they would delay the calls that a run waits for.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';

export type Priority = 'normal' | 'low';

const LEVELS: Readonly<Record<Priority, number>> = {
  normal: os.constants.priority.PRIORITY_NORMAL,
  low: os.constants.priority.PRIORITY_LOW,
};

/** @param pid leader of a session, as each sandbox is. Does nothing if it has ended. */
export function setPriority(pid: number, priority: Priority): void {
  const level = LEVELS[priority];
  if (isGroupedBySession()) {
    attempt(() => {
      fs.writeFileSync(`/proc/${pid}/autogroup`, String(level));
    });
    return;
  }
  for (const id of threadsOf(pid))
    attempt(() => {
      os.setPriority(id, level);
    });
}

/** Linux may first divide the processors among sessions: https://man7.org/linux/man-pages/man7/sched.7.html */
function isGroupedBySession(): boolean {
  return read('/proc/sys/kernel/sched_autogroup_enabled')?.trim() === '1';
}

/** On Linux each thread has a priority of its own, which the threads that it starts inherit. */
function threadsOf(pid: number): number[] {
  if (process.platform !== 'linux') return [pid];
  try {
    return fs.readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    // The process has ended.
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    // Other systems and kernels have no such file.
    return undefined;
  }
}

/** The process may have ended, and only root may raise the priority of a thread again. */
function attempt(set: () => void): void {
  try {
    set();
  } catch {
    // The call runs at the priority that it has.
  }
}
