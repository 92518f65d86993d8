/** A limit of bytes per second with a burst: tells each sender when its last byte has passed. */
import { type BucketShape, passed, refilled } from '../../lib/cost/formulas/slice-timing';

/** How much a sender may catch up after a late timer. Otherwise every late timer would cost bandwidth. */
export const CATCH_UP_MS = 20;

export class TokenBucket {
  private tokens: number;
  private free = -Infinity;

  constructor(private readonly shape: BucketShape) {
    this.tokens = shape.capacity;
  }

  /** Queues the bytes and returns the time at which the last one has passed. Times are in milliseconds. */
  reserve(bytes: number, now: number): number {
    // Continue a queue that was busy until just now.
    const start = this.free >= now - CATCH_UP_MS ? this.free : now;
    if (start > this.free) this.tokens = refilled(this.tokens, (start - this.free) / 1000, this.shape);
    const { seconds, tokens } = passed(this.tokens, bytes, this.shape);
    this.tokens = tokens;
    this.free = start + seconds * 1000;
    return this.free;
  }
}
