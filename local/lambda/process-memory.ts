/**
 * Measures the memory of a sandbox's processes that the kernel could not take back.
 *
 * On Lambda a sandbox is a virtual machine with the function's memory. The kernel kills a process when it finds no page to
 * reclaim. It can always drop pages that are copies of a file: the programs, and the weights that ONNX Runtime maps from
 * `/tmp`, which is a disk there. It reads them again when they are needed. So these pages do not count. What counts is
 * anonymous memory, shared memory, and anonymous memory that this machine has swapped out: a sandbox has no swap.
 *
 * Not counted: the kernel's own memory for the process, and processes that left the worker's tree of processes. Counted twice: pages
 * that processes share since a fork.
 */
import * as fs from 'node:fs';

const COUNTED = ['RssAnon', 'RssShmem', 'VmSwap'] as const;

/** `TMPFS_MAGIC` of Linux. */
const TMPFS = 0x01021994;

/** Whether this machine tells the kinds of memory of a process, as Linux does from 4.5 on. */
export function canMeasureMemory(): boolean {
  return memoryOf(process.pid, true) !== undefined;
}

/**
 * Whether files in the folder are in memory. A mapped file then counts as shared memory, although it lies on a disk on
 * Lambda, so that shared memory must not be counted.
 */
export function isInMemory(folder: string): boolean {
  return fs.statfsSync(folder).type === TMPFS;
}

export function memoryOfTree(pid: number, countShared: boolean): number {
  let bytes = 0;
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    bytes += memoryOf(next, countShared) ?? 0;
    waiting.push(...childrenOf(next));
  }
  return bytes;
}

function memoryOf(pid: number, countShared: boolean): number | undefined {
  const status = readProc(`/proc/${pid}/status`);
  if (!status.includes('RssAnon:')) return undefined;
  let kilobytes = 0;
  for (const name of COUNTED) {
    if (name === 'RssShmem' && !countShared) continue;
    kilobytes += Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Each thread has its own list of the processes that it started. */
function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = fs.readdirSync(`/proc/${pid}/task`);
  } catch {
    // The process has ended.
    return [];
  }
  return threads.flatMap((thread) =>
    readProc(`/proc/${pid}/task/${thread}/children`)
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

function readProc(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    // The process or thread has ended, or this is not Linux.
    return '';
  }
}
