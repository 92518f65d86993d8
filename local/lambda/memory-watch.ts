/**
 * Notices when a busy worker uses more memory than its function has. One timer serves all workers. It measures a worker
 * before that could have filled the rest of its memory, so that no peak stays unseen and a small worker costs little. Without the rights of
 * an administrator, no system limits the memory of a group: RLIMIT_AS counts mapped weights, and RLIMIT_DATA what V8 reserves.
 */
import { memoryOfTree } from './process-memory';

export interface MemoryLimit {
  readonly bytes: number;
  readonly countShared: boolean;
  readonly onExceeded: () => void;
}

/** Faster than the processes of two cores fill fresh memory, in bytes per millisecond. */
const FILL_RATE = 4e6;

const LEAST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 250;

/** Share of one core that measuring may take. With very many busy workers, each is measured less often. */
const SHARE_OF_CORE = 0.04;

/** A worker whose memory is being watched. */
export class WatchedMemory {
  /** Largest measured size, in bytes. */
  peakBytes = 0;
  due = 0;

  constructor(
    readonly pid: number,
    private readonly limit: MemoryLimit,
  ) {}

  /** Measures now. @returns whether the worker is within its limit */
  measure(): boolean {
    const bytes = memoryOfTree(this.pid, this.limit.countShared);
    this.peakBytes = Math.max(this.peakBytes, bytes);
    const left = this.limit.bytes - bytes;
    this.due = performance.now() + Math.min(Math.max(left / FILL_RATE, LEAST_WAIT_MS), LONGEST_WAIT_MS);
    if (left >= 0) return true;
    stopWatching(this);
    this.limit.onExceeded();
    return false;
  }
}

const watched = new Set<WatchedMemory>();
let timer: NodeJS.Timeout | undefined;

/** Call `stopWatching` when the call has ended. */
export function watchMemory(pid: number, limit: MemoryLimit): WatchedMemory {
  const memory = new WatchedMemory(pid, limit);
  memory.due = performance.now() + LEAST_WAIT_MS;
  watched.add(memory);
  if (timer === undefined) schedule(LEAST_WAIT_MS);
  return memory;
}

export function stopWatching(memory: WatchedMemory): void {
  watched.delete(memory);
  if (watched.size > 0) return;
  clearTimeout(timer);
  timer = undefined;
}

function schedule(milliseconds: number): void {
  timer = setTimeout(round, milliseconds);
  // A running call has timers of its own.
  timer.unref();
}

function round(): void {
  const start = performance.now();
  for (const memory of [...watched]) {
    if (memory.due <= start) memory.measure();
  }
  if (watched.size === 0) return;
  const now = performance.now();
  const pause = (now - start) / SHARE_OF_CORE;
  const next = Math.min(...[...watched].map(({ due }) => due)) - now;
  schedule(Math.max(next, pause, 1));
}
