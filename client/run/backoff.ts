/** Pauses that grow, between requests about the same execution. */
import type { PollInterval } from '../options';

const GROWTH = 1.5;

export class Backoff {
  private current: number;

  constructor(private readonly interval: Required<PollInterval>) {
    this.current = Math.min(interval.first, interval.longest);
  }

  /** Milliseconds of the next pause. */
  next(): number {
    const pause = this.current;
    this.grow();
    return pause;
  }

  /** Lengthens the next pauses, because the service refuses requests. */
  grow(): void {
    this.current = Math.min(this.current * GROWTH, this.interval.longest);
  }
}
