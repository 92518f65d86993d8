/** A limit of bytes per second, kept by telling each sender until when its bytes take. */

/** What a sender may catch up on after a timer that came late: otherwise each timer would cost bandwidth. */
const CATCH_UP_MS = 20;

export class RateLimit {
  private free = -Infinity;

  constructor(private readonly bytesPerSecond: number) {}

  /** Takes the next place in the queue; returns when the last of the bytes is through. Times are milliseconds. */
  reserve(bytes: number, now: number): number {
    // Behind a queue that was busy until just now; an idle time is not saved up.
    const start = this.free >= now - CATCH_UP_MS ? this.free : now;
    this.free = start + (bytes / this.bytesPerSecond) * 1000;
    return this.free;
  }
}
