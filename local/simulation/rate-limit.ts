/** A limit of bytes per second: tells each sender when its last byte has passed. */

/** How much a sender may catch up after a late timer. Otherwise every late timer would cost bandwidth. */
const CATCH_UP_MS = 20;

export class RateLimit {
  private free = -Infinity;

  constructor(private readonly bytesPerSecond: number) {}

  /** Queues the bytes and returns the time at which the last one has passed. Times are in milliseconds. */
  reserve(bytes: number, now: number): number {
    // Continue a queue that was busy until just now. Idle time is not saved up.
    const start = this.free >= now - CATCH_UP_MS ? this.free : now;
    this.free = start + (bytes / this.bytesPerSecond) * 1000;
    return this.free;
  }
}
