/** A limit shared by senders. `test/lib/cost/formulas.test.ts` tests how fast it refills. */
import fc from 'fast-check';
import { steady } from '../../../lib/cost/formulas/slice-timing';
import { CATCH_UP_MS, TokenBucket } from '../../../local/simulation/traffic';

const MB = 1e6;

it('passes the bytes of all senders one after the other, and loses no bandwidth to a slightly late timer', () => {
  const limit = new TokenBucket(steady(MB));
  expect(limit.reserve(20_000, 100)).toBe(120);
  expect(limit.reserve(5_000, 100)).toBe(125);
  expect(limit.reserve(5_000, 110)).toBe(130);
  // Two milliseconds late.
  expect(limit.reserve(10_000, 132)).toBe(140);
  expect(limit.reserve(30_000, 1000)).toBe(1030);
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

it('never passes more in a window than its burst, its rate times the time, and what a late sender catches up', () => {
  fc.assert(
    fc.property(SHAPE, SENDERS, fc.nat(), fc.boolean(), (shape, senders, at, wasEmpty) => {
      const bucket = new TokenBucket(shape);
      let now = 0;
      // More than any burst, so that only the refilled share is left of it.
      if (wasEmpty) now = bucket.reserve(shape.capacity * 21 + 1, 0) + at;
      const burst = wasEmpty ? shape.capacity * shape.refillShare : shape.capacity;
      const sent = senders.map(({ pauseMs, bytes }) => {
        now += pauseMs;
        return { bytes, end: Math.max(now, bucket.reserve(bytes, now)) };
      });
      const [{ end: start }, ...window] = sent.slice(at % sent.length);
      let sum = 0;
      let before = start;
      for (const { bytes, end } of window) {
        sum += bytes;
        // One byte for rounding.
        const most = burst + (shape.refillRate * (end - start + CATCH_UP_MS)) / 1000 + 1;
        expect(sum).toBeLessThanOrEqual(most);
        expect(end).toBeGreaterThanOrEqual(before);
        before = end;
      }
    }),
  );
});
