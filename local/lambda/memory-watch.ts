/**
 * Notices when a busy worker uses more memory than its function has. It measures a worker before that could have filled the
 * rest of its memory, so that no peak stays unseen and a small worker costs little. Without the rights of
 * an administrator, no system limits the memory of a group: RLIMIT_AS counts mapped weights, and RLIMIT_DATA what V8 reserves.
 */
import * as fs from 'node:fs';

interface MemoryLimit {
  readonly bytes: number;
  readonly countShared: boolean;
  readonly onExceeded: () => void;
}

/** Faster than the processes of two cores fill fresh memory, in bytes per millisecond. */
const FILL_RATE = 4e6;

const LEAST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 250;

export class MemoryWatch {
  peakBytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pid: number,
    private readonly limit: MemoryLimit,
  ) {
    this.measureAfter(LEAST_WAIT_MS);
  }

  measure(): void {
    const bytes = memoryOfTree(this.pid, this.limit.countShared);
    this.peakBytes = Math.max(this.peakBytes, bytes);
    const left = this.limit.bytes - bytes;
    if (left < 0) {
      this.stop();
      this.limit.onExceeded();
      return;
    }
    if (this.timer === undefined) return;
    this.measureAfter(Math.min(Math.max(left / FILL_RATE, LEAST_WAIT_MS), LONGEST_WAIT_MS));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private measureAfter(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.measure();
    }, milliseconds);
    // A running call has timers of its own.
    this.timer.unref();
  }
}

/**
 * Memory that the kernel could not take back. On Lambda a sandbox is a virtual machine with the function's memory. The kernel
 * kills a process when it finds no page to reclaim. It can always drop pages that are copies of a file: the programs, and the
 * weights that ONNX Runtime maps from `/tmp`, which is a disk there. So these do not count, and swapped memory does: a sandbox
 * has no swap. Pages that processes share since a fork count twice; processes that left the worker's tree do not count.
 */
const COUNTED = ['RssAnon', 'RssShmem', 'VmSwap'] as const;

/** `TMPFS_MAGIC` of Linux. */
const TMPFS = 0x01021994;

/** Whether this machine tells the kinds of memory of a process, as Linux does from 4.5 on. */
export function canMeasureMemory(): boolean {
  return memoryOf(process.pid, true) !== undefined;
}

/** A mapped file then counts as shared memory, but lies on a disk on Lambda, so that shared memory must not be counted. */
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
