import { memoryOfTree } from './process-memory';

interface MemoryLimit {
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

let watches = 0;

export class MemoryWatch {
  peakBytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pid: number,
    private readonly limit: MemoryLimit,
  ) {
    watches++;
    this.measureAfter(LEAST_WAIT_MS);
  }

  measure(): void {
    const start = performance.now();
    const bytes = memoryOfTree(this.pid, this.limit.countShared);
    this.peakBytes = Math.max(this.peakBytes, bytes);
    const left = this.limit.bytes - bytes;
    if (left < 0) {
      this.stop();
      this.limit.onExceeded();
      return;
    }
    if (this.timer === undefined) return;
    const pause = ((performance.now() - start) * watches) / SHARE_OF_CORE;
    this.measureAfter(Math.max(Math.min(Math.max(left / FILL_RATE, LEAST_WAIT_MS), LONGEST_WAIT_MS), pause));
  }

  stop(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    watches--;
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
