import { DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/environment';
import { DEFAULT_PRICES } from '../../../../lib/cost/constants/prices';
import {
  coldShare,
  computeMs,
  durationRate,
  singleThreadMs,
  tmpMb,
  tmpRate,
  vcpuShare,
  visibleVcpus,
} from '../../../../lib/cost/formulas/lambda';

const environment = DEFAULT_ENVIRONMENT;

describe('the processors of a function', () => {
  it('come with its memory: 1,769 MB are one vCPU', () => {
    expect(vcpuShare(1769, environment)).toBe(1);
    expect(vcpuShare(512, environment)).toBeCloseTo(0.289, 3);
  });

  it.each([
    [128, 2],
    [3008, 2],
    [3009, 3],
    [5307, 3],
    [7076, 4],
    [8845, 5],
    [10_240, 6],
  ])('of %i MB show as %i', (memoryMb, vcpus) => {
    expect(visibleVcpus(memoryMb, environment)).toBe(vcpus);
  });

  it('stretch the work of Node.js by their speed, and further only if they are less than one', () => {
    expect(singleThreadMs(7, 0.5, environment)).toBeCloseTo(20, 9);
    expect(singleThreadMs(7, 4, environment)).toBeCloseTo(10, 9);
  });
});

describe('computing', () => {
  it('takes as many seconds as the work on one vCPU', () => {
    expect(computeMs(0.3, 1, 1, environment)).toBe(300);
    expect(computeMs(0.3, 1, 6, environment)).toBe(300);
  });

  it('takes twice as long on half a vCPU, with any number of threads', () => {
    expect(computeMs(0.3, 1, 0.5, environment)).toBe(600);
    expect(computeMs(0.3, 2, 0.5, environment)).toBe(600);
  });

  it('leaves a serial share when threads work in parallel', () => {
    expect(computeMs(1, 4, 4, environment)).toBeCloseTo(1000 * (0.05 + 0.95 / 4), 9);
  });

  it('is never slower with more threads or more processors', () => {
    let before = Infinity;
    for (let vcpus = 0.1; vcpus < 6; vcpus += 0.1) {
      const ms = computeMs(1, 6, vcpus, environment);
      expect(ms).toBeLessThanOrEqual(before);
      expect(ms).toBeLessThanOrEqual(computeMs(1, 2, vcpus, environment));
      before = ms;
    }
  });
});

describe('the price of a function', () => {
  it('is that of AWS for a GB-second', () => {
    expect(durationRate(1024, 'x86_64', DEFAULT_PRICES) * 1000).toBeCloseTo(0.0000166667, 12);
    expect(durationRate(2048, 'arm64', DEFAULT_PRICES) * 1000).toBeCloseTo(0.0000266668, 12);
  });

  it('includes /tmp above 512 MB', () => {
    expect(tmpMb(10e6, environment)).toBe(512);
    expect(tmpRate(10e6, DEFAULT_PRICES, environment)).toBe(0);
    expect(tmpMb(1024 * 2 ** 20, environment)).toBe(1127);
    expect(tmpRate(1024 * 2 ** 20, DEFAULT_PRICES, environment) * 1000).toBeCloseTo(
      ((1127 - 512) / 1024) * 0.0000000309,
      18,
    );
  });
});

describe('the share of cold runs', () => {
  it('falls with the rate of requests', () => {
    expect(coldShare(0, environment)).toBe(1);
    // Ten requests in the time that a sandbox is kept.
    expect(coldShare(100, environment)).toBeCloseTo(Math.exp(-10), 12);
    expect(coldShare(1, environment)).toBeGreaterThan(coldShare(2, environment));
  });

  it('is that of simulated random arrivals', () => {
    // Exponential gaps at the middles of 10,000 equal shares.
    const gaps = Array.from(
      { length: 10_000 },
      (_, index) => (-Math.log(1 - (index + 0.5) / 10_000) * 3600) / 5,
    );
    const cold = gaps.filter((seconds) => seconds > environment.lambda.keepAliveSeconds).length;

    expect(coldShare(5, environment)).toBeCloseTo(cold / 10_000, 3);
  });
});
