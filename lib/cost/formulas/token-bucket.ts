/**
 * The bandwidth of a sandbox: a token bucket, of which only a part refills. It refills all the time, not only while the
 * sandbox is idle: then the first second passes 366 MiB, and 361 to 369 MiB were measured. The local cloud passes bytes by
 * the same formulas.
 */

/** Bytes and bytes per second. */
export interface BucketShape {
  /** Tokens of a new sandbox: bytes that it may pass at `burstRate`. */
  readonly capacity: number;
  readonly burstRate: number;
  /** How fast the bucket refills, which is also the rate of an empty one. */
  readonly refillRate: number;
  /** The share of the capacity up to which it refills. */
  readonly refillShare: number;
}

/** How long bytes took to pass, and the tokens that are then left. */
export interface Passage {
  readonly seconds: number;
  readonly tokens: number;
}

/** A bucket without a burst. */
export function steady(rate: number): BucketShape {
  return { capacity: 0, burstRate: rate, refillRate: rate, refillShare: 0 };
}

/** Tokens after a time in which nothing passed. */
export function refilled(tokens: number, seconds: number, shape: BucketShape): number {
  return Math.max(tokens, Math.min(shape.capacity * shape.refillShare, tokens + shape.refillRate * seconds));
}

/** Passes bytes as fast as the bucket allows. */
export function passed(tokens: number, bytes: number, shape: BucketShape): Passage {
  const { capacity, burstRate, refillRate, refillShare } = shape;
  const loss = burstRate - refillRate;
  if (loss <= 0) {
    const seconds = bytes / burstRate;
    return { seconds, tokens: refilled(tokens, seconds, { ...shape, refillRate: -loss }) };
  }
  // The part above the refilled one does not refill.
  const upper = Math.min(bytes, Math.max(0, tokens - capacity * refillShare));
  const lasting = ((tokens - upper) * burstRate) / loss;
  const lower = Math.min(bytes - upper, lasting);
  const rest = bytes - upper - lower;
  return {
    seconds: (upper + lower) / burstRate + rest / refillRate,
    tokens: rest > 0 ? 0 : Math.max(0, tokens - upper - (lower * loss) / burstRate),
  };
}
