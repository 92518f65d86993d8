import fc from 'fast-check';
import { steady } from '../../../lib/cost/formulas/token-bucket';
import { CATCH_UP_MS, TokenBucket } from '../../../local/simulation/token-bucket';

const MB = 1e6;

describe('a bucket without a burst', () => {
  it('passes bytes one after the other at the given rate', () => {
    const limit = new TokenBucket(steady(MB));
    expect(limit.reserve(20_000, 100)).toBe(120);
    expect(limit.reserve(5_000, 100)).toBe(125);
    expect(limit.reserve(5_000, 110)).toBe(130);
  });

  it('loses no bandwidth to a slightly late timer, and saves up no idle time', () => {
    const limit = new TokenBucket(steady(MB));
    expect(limit.reserve(25_000, 0)).toBe(25);
    // Two milliseconds late.
    expect(limit.reserve(10_000, 27)).toBe(35);
    expect(limit.reserve(30_000, 1000)).toBe(1030);
  });

  it('limits all senders together', () => {
    const limit = new TokenBucket(steady(MB));
    const through = Array.from({ length: 100 }, () => limit.reserve(10_000, 0));
    expect(Math.max(...through)).toBe(1000);
  });
});

/** 3 MB at 10 MB/s, then 1 MB/s; half of the 3 MB comes back. */
const BURST = { capacity: 3 * MB, burstRate: 10 * MB, refillRate: MB, refillShare: 0.5 };

describe('a bucket with a burst', () => {
  it('passes the burst fast, and the rest at the sustained rate', () => {
    const bucket = new TokenBucket(BURST);
    // The upper half takes 150 ms. The lower one gains a ninth of what it loses, so that 1.67 MB pass in 167 ms.
    expect(bucket.reserve(1.5 * MB, 0)).toBeCloseTo(150, 6);
    expect(bucket.reserve(1.5 * MB * (10 / 9), 0)).toBeCloseTo(150 + 500 / 3, 6);
    expect(bucket.reserve(MB, 0)).toBeCloseTo(150 + 500 / 3 + 1000, 6);
  });

  it('has half of its burst again after an idle time, however long', () => {
    const bucket = new TokenBucket(BURST);
    const emptyAt = bucket.reserve(10 * MB, 0);
    const later = emptyAt + 3_600_000;
    expect(bucket.reserve(1.5 * MB, later)).toBeCloseTo(later + 150, 3);
    expect(bucket.reserve(MB, later + 150)).toBeGreaterThan(later + 150 + 800);
  });

  it('refills in part after a short idle time', () => {
    const bucket = new TokenBucket(BURST);
    const emptyAt = bucket.reserve(10 * MB, 0);
    // 0.9 MB have come back, which last for 1 MB.
    expect(bucket.reserve(MB, emptyAt + 900)).toBeCloseTo(emptyAt + 900 + 100, 3);
  });
});

const SHAPE = fc
  .record({
    capacity: fc.integer({ min: 0, max: 5 * MB }),
    refillRate: fc.integer({ min: 1_000, max: 5 * MB }),
    faster: fc.integer({ min: 1, max: 20 }),
    refillShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ faster, ...shape }) => ({ ...shape, burstRate: faster * shape.refillRate }));

/** Senders: how long after the one before they come, in milliseconds, and their bytes. */
const SENDERS = fc.array(
  fc.record({
    pauseMs: fc.oneof(fc.constant(0), fc.integer({ max: 50, min: 0 }), fc.integer({ max: 5_000, min: 0 })),
    bytes: fc.integer({ min: 1, max: 500_000 }),
  }),
  { minLength: 1, maxLength: 100 },
);

interface Sent {
  readonly bytes: number;
  /** When the last byte has passed. */
  readonly end: number;
}

function send(
  shape: ConstructorParameters<typeof TokenBucket>[0],
  senders: readonly { pauseMs: number; bytes: number }[],
) {
  const bucket = new TokenBucket(shape);
  let now = 0;
  return senders.map(({ pauseMs, bytes }): Sent => {
    now += pauseMs;
    return { bytes, end: Math.max(now, bucket.reserve(bytes, now)) };
  });
}

describe('any bucket', () => {
  it('never passes more in a window than its burst, its rate times the time, and what a late sender catches up', () => {
    fc.assert(
      fc.property(SHAPE, SENDERS, fc.nat(), (shape, senders, at) => {
        const sent = send(shape, senders);
        const first = at % sent.length;
        const start = sent[first].end;
        let sum = 0;
        for (const { bytes, end } of sent.slice(first + 1)) {
          sum += bytes;
          const ms = end - start + CATCH_UP_MS;
          expect(sum).toBeLessThanOrEqual(shape.capacity + (shape.refillRate * ms) / 1000 + ROUNDING);
        }
      }),
    );
  });

  it('passes at most the refilled share fast again, once it has been empty', () => {
    fc.assert(
      fc.property(SHAPE, fc.integer({ min: 0, max: 1e7 }), SENDERS, (shape, idleMs, senders) => {
        const bucket = new TokenBucket(shape);
        // More than any burst.
        let now = bucket.reserve(shape.capacity * 21 + 1, 0) + idleMs;
        const start = now;
        let sum = 0;
        for (const { pauseMs, bytes } of senders) {
          now += pauseMs;
          sum += bytes;
          const end = Math.max(now, bucket.reserve(bytes, now));
          const ms = end - start + CATCH_UP_MS;
          expect(sum).toBeLessThanOrEqual(
            shape.capacity * shape.refillShare + (shape.refillRate * ms) / 1000 + ROUNDING,
          );
        }
      }),
    );
  });

  it('lets each byte pass after those before it', () => {
    fc.assert(
      fc.property(SHAPE, SENDERS, (shape, senders) => {
        const ends = send(shape, senders).map(({ end }) => end);
        expect([...ends].sort((a, b) => a - b)).toEqual(ends);
      }),
    );
  });
});

/** Bytes. */
const ROUNDING = 1;
