import * as fc from 'fast-check';
import { type Environment, DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { computeMs, singleThreadMs, visibleVcpus } from '../../../lib/cost/formulas/lambda';
import {
  type BucketShape,
  transferMs,
  passed,
  refilled,
  steady,
} from '../../../lib/cost/formulas/slice-timing';
import { payloadMs, transitionOf } from '../../../lib/cost/formulas/step-functions';
import { GRID_MS } from '../../../lib/cost/latency/latency-distribution';

const MIB = 2 ** 20;
const environment = DEFAULT_ENVIRONMENT;

describe('the processors of a function', () => {
  it('show as whole ones', () => {
    expect([3008, 3009, 10_240].map((memoryMb) => visibleVcpus(memoryMb, environment))).toEqual([2, 3, 6]);
  });

  it('stretch the work of Node.js only if they are less than one', () => {
    expect(singleThreadMs(7, 0.5)).toBeCloseTo(14, 9);
    expect(singleThreadMs(7, 4)).toBeCloseTo(7, 9);
  });

  it.each([
    [1, 1, 300],
    [1, 6, 300],
    [1, 0.5, 600],
    [2, 0.5, 600],
    [4, 4, 300 * (0.05 + 0.95 / 4)],
  ])(
    'compute 0.3 s of work with %d threads on %d vCPUs in %d ms, with a serial share',
    (threads, vcpus, ms) => {
      expect(computeMs(0.3, threads, vcpus, environment)).toBeCloseTo(ms, 9);
    },
  );
});

/** A processor that only what `network.cpu` is for keeps busy. */
function processor(cpu: number, connectionRate: number): Environment {
  return {
    ...environment,
    s3: { ...environment.s3, connectionRate },
    network: { ...environment.network, cpu },
  };
}

const PLAIN = { inVpc: false };
const VPC = { inVpc: true };
const idle = processor(0, 1e6);
const { connectionRate } = environment.s3;
const busy = processor(4, connectionRate);
// The upper half of the burst does not refill; the lower one gains 75 MiB/s while it loses 1,228.8 MiB/s.
const burst = 150 + 150 * (1228.8 / (1228.8 - 75));

it.each([
  ['nothing', 0, 0.1, PLAIN, busy, 0],
  ['the burst at 1.2 GiB/s', burst * MIB, 1, PLAIN, idle, (burst / 1228.8) * 1000],
  ['the rest at 75 MiB/s', (burst + 75) * MIB, 1, PLAIN, idle, (burst / 1228.8) * 1000 + 1000],
  ['all at 82 MiB/s in a VPC', 164 * MIB, 1, VPC, idle, 2000],
  ['a small object over one connection', 1e6, 1, PLAIN, processor(0, 10), 100],
  ['three parts over three connections', 48 * MIB, 1, PLAIN, processor(0, 10), ((48 * MIB) / 30e6) * 1000],
  ['what its processor can', 100e6, 1, PLAIN, busy, 400],
  ['less on a small function', 100e6, 0.25, PLAIN, busy, 1600],
  ['no more on a large one', 100e6, 6, PLAIN, busy, 400],
] as const)('a transfer passes %s', (_, bytes, vcpus, path, own, ms) => {
  expect(transferMs(bytes, vcpus, path, own)).toBeCloseTo(ms, 6);
});

it('an execution of a Standard machine has the published transitions, which a payload makes slower', () => {
  const median = transitionOf('standard', environment).quantile(0.5);
  expect(Math.abs(median - 160)).toBeLessThanOrEqual(GRID_MS);
  const added = [64 * 1024 - 1024, 0, 1e9].map((bytes) => payloadMs(bytes, 'standard', environment));
  expect(added).toEqual([expect.closeTo(78, 6), 0, expect.closeTo(425 - 160, 6)]);
});

describe("Lambda's bucket outside a VPC", () => {
  const LAMBDA: BucketShape = {
    capacity: 300 * MIB,
    burstRate: 1228.8 * MIB,
    refillRate: 75 * MIB,
    refillShare: 0.5,
  };

  const secondsOf = (mib: number): number => passed(LAMBDA.capacity, mib * MIB, LAMBDA).seconds;

  it('passes what was measured: 361 to 369 MiB in its first second, 106 MiB/s on average of ten seconds', () => {
    expect(secondsOf(361)).toBeLessThan(1);
    expect(secondsOf(369)).toBeGreaterThan(1);
    expect(secondsOf(1075) - secondsOf(1000)).toBeCloseTo(1, 9);
    expect(Math.abs(1060 / secondsOf(1060) - 106)).toBeLessThan(3);
    expect(secondsOf(256)).toBeCloseTo(256 / 1228.8, 9);
  });

  it('lasts longer if the processor is slower than the burst, and never empties if it is slower than the refill', () => {
    const slow = { ...LAMBDA, burstRate: 150 * MIB };
    // 150 MiB that do not refill, and 150 MiB of which half is refilled as it is used.
    expect(passed(LAMBDA.capacity, 450 * MIB, slow)).toEqual({ seconds: 3, tokens: 0 });
    expect(passed(LAMBDA.capacity, 525 * MIB, slow).seconds).toBeCloseTo(4, 9);
    const slower = { ...LAMBDA, burstRate: 50 * MIB };
    expect(passed(0, 100 * MIB, slower)).toEqual({ seconds: 2, tokens: 50 * MIB });
    expect(passed(0, 1000, steady(100))).toEqual({ seconds: 10, tokens: 0 });
  });
});

const rate = fc.double({ min: 1e3, max: 1e9, noNaN: true });
const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
const shapes = fc.record({
  ...{ capacity: amount, burstRate: rate, refillRate: rate },
  refillShare: fc.double({ min: 0, max: 1, noNaN: true }),
});

it('any bucket takes as long for bytes at once as in parts, and never has less than no tokens or more than its capacity', () => {
  fc.assert(
    fc.property(shapes, amount, amount, (shape, first, second) => {
      const start = passed(shape.capacity, first, shape);
      const end = passed(start.tokens, second, shape);
      const together = passed(shape.capacity, first + second, shape);
      expect(start.seconds + end.seconds).toBeCloseTo(together.seconds, 3);
      const after = refilled(start.tokens, second, shape);
      expect(start.tokens).toBeGreaterThanOrEqual(0);
      expect(after).toBeGreaterThanOrEqual(start.tokens);
      expect(after).toBeLessThanOrEqual(shape.capacity);
    }),
  );
});
