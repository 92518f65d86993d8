import fc from 'fast-check';
import { type BucketShape, passed, refilled, steady } from '../../../../lib/cost/formulas/token-bucket';

const MIB = 2 ** 20;

/** Lambda's bucket outside a VPC. */
const LAMBDA: BucketShape = {
  capacity: 300 * MIB,
  burstRate: 1228.8 * MIB,
  refillRate: 75 * MIB,
  refillShare: 0.5,
};

/** Bytes that a full bucket passes within so many seconds, to the byte. */
function bytesWithin(seconds: number, shape: BucketShape): number {
  let [low, high] = [0, shape.capacity + shape.burstRate * seconds];
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (passed(shape.capacity, middle, shape).seconds <= seconds) low = middle;
    else high = middle;
  }
  return low;
}

describe("Lambda's bucket", () => {
  it('passes in its first second what was measured, 361 to 369 MiB, and then 75 MiB each second', () => {
    const first = bytesWithin(1, LAMBDA) / MIB;

    expect(first).toBeGreaterThan(361);
    expect(first).toBeLessThan(369);
    expect(bytesWithin(2, LAMBDA) / MIB - first).toBeCloseTo(75, 3);
    expect(bytesWithin(10, LAMBDA) / MIB - bytesWithin(9, LAMBDA) / MIB).toBeCloseTo(75, 3);
  });

  it('passes 106 MiB/s on average of ten seconds, as was measured', () => {
    expect(Math.abs(bytesWithin(10, LAMBDA) / MIB / 10 - 106)).toBeLessThan(3);
  });

  it('passes 256 MiB within the burst', () => {
    expect(passed(LAMBDA.capacity, 256 * MIB, LAMBDA).seconds).toBeCloseTo(256 / 1228.8, 9);
  });

  it('refills up to a half while nothing passes', () => {
    expect(refilled(0, 1, LAMBDA)).toBe(75 * MIB);
    expect(refilled(0, 2, LAMBDA)).toBe(150 * MIB);
    expect(refilled(0, 3600, LAMBDA)).toBe(150 * MIB);
    expect(refilled(200 * MIB, 3600, LAMBDA)).toBe(200 * MIB);
  });

  it('lasts longer if the processor is slower than the burst', () => {
    const slow = { ...LAMBDA, burstRate: 150 * MIB };

    // 150 MiB that do not refill, and 150 MiB of which half is refilled as it is used.
    expect(passed(LAMBDA.capacity, 450 * MIB, slow)).toEqual({ seconds: 3, tokens: 0 });
    expect(passed(LAMBDA.capacity, 525 * MIB, slow).seconds).toBeCloseTo(4, 9);
  });

  it('never empties if the processor is slower than it refills', () => {
    const slow = { ...LAMBDA, burstRate: 50 * MIB };

    expect(passed(0, 100 * MIB, slow)).toEqual({ seconds: 2, tokens: 50 * MIB });
  });
});

it('a bucket without a burst passes at its rate', () => {
  expect(passed(0, 1000, steady(100))).toEqual({ seconds: 10, tokens: 0 });
});

const SHAPE = fc.record({
  capacity: fc.double({ min: 0, max: 1e9, noNaN: true }),
  burstRate: fc.double({ min: 1e3, max: 1e9, noNaN: true }),
  refillRate: fc.double({ min: 1e3, max: 1e9, noNaN: true }),
  refillShare: fc.double({ min: 0, max: 1, noNaN: true }),
});
const BYTES = fc.double({ min: 0, max: 1e9, noNaN: true });

describe('any bucket', () => {
  it('takes as long for bytes at once as for the same bytes in parts', () => {
    fc.assert(
      fc.property(SHAPE, BYTES, BYTES, (shape, first, second) => {
        const start = passed(shape.capacity, first, shape);
        const end = passed(start.tokens, second, shape);
        const together = passed(shape.capacity, first + second, shape);

        expect(start.seconds + end.seconds).toBeCloseTo(together.seconds, 3);
      }),
    );
  });

  it('never has less than no tokens, or more than its capacity', () => {
    fc.assert(
      fc.property(SHAPE, BYTES, BYTES, (shape, bytes, seconds) => {
        const { tokens } = passed(shape.capacity, bytes, shape);
        const after = refilled(tokens, seconds, shape);

        expect(tokens).toBeGreaterThanOrEqual(0);
        expect(after).toBeGreaterThanOrEqual(tokens);
        expect(after).toBeLessThanOrEqual(shape.capacity);
      }),
    );
  });
});
