import { DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/environment';
import { beyondBurstMs, transferMs } from '../../../../lib/cost/formulas/network';

const MIB = 2 ** 20;
const PLAIN = { inVpc: false, tls: false };
const environment = {
  ...DEFAULT_ENVIRONMENT,
  s3: { ...DEFAULT_ENVIRONMENT.s3, connectionRate: 1e6 },
  network: { ...DEFAULT_ENVIRONMENT.network, cpu: 0 },
  handler: { ...DEFAULT_ENVIRONMENT.handler, checksum: 0 },
};

describe('the network of a sandbox', () => {
  it('passes the burst at 1.2 GiB/s, which refills a little meanwhile, and the rest at 75 MiB/s', () => {
    // The upper half does not refill; the lower one gains 75 MiB/s while it loses 1,228.8 MiB/s.
    const burst = 150 + 150 * (1228.8 / (1228.8 - 75));
    const burstMs = transferMs(burst * MIB, 1, PLAIN, environment);

    expect(burstMs).toBeCloseTo((burst / 1228.8) * 1000, 6);
    expect(transferMs((burst + 75) * MIB, 1, PLAIN, environment) - burstMs).toBeCloseTo(1000, 6);
  });

  it('does not depend on memory', () => {
    expect(transferMs(400 * MIB, 0.2, PLAIN, environment)).toBe(transferMs(400 * MIB, 6, PLAIN, environment));
  });

  it('has no burst in a VPC', () => {
    expect(transferMs(164 * MIB, 1, { ...PLAIN, inVpc: true }, environment)).toBeCloseTo(2000, 6);
  });

  it('passes small objects at the speed of one connection', () => {
    const slow = { ...environment, s3: { ...environment.s3, connectionRate: 10 } };

    expect(transferMs(1e6, 1, PLAIN, slow)).toBeCloseTo(100, 6);
    // Three parts of 16 MiB over three connections.
    expect(transferMs(48 * MIB, 1, PLAIN, slow)).toBeCloseTo(((48 * MIB) / 30e6) * 1000, 6);
  });
});

describe('the processor time of a transfer', () => {
  const withCpu = {
    ...DEFAULT_ENVIRONMENT,
    processor: { ...DEFAULT_ENVIRONMENT.processor, lambdaSpeed: 1 },
    handler: { ...DEFAULT_ENVIRONMENT.handler, checksum: 0 },
  };

  it('is the limit within the burst', () => {
    expect(transferMs(100e6, 1, PLAIN, withCpu)).toBeCloseTo(320, 6);
    expect(transferMs(100e6, 1, { ...PLAIN, tls: true }, withCpu)).toBeCloseTo(320 * 1.29, 6);
  });

  it('grows on a small function, and does not shrink on a large one', () => {
    expect(transferMs(100e6, 0.25, PLAIN, withCpu)).toBeCloseTo(4 * 320, 6);
    expect(transferMs(100e6, 6, PLAIN, withCpu)).toBeCloseTo(320, 6);
  });

  it('grows on slower processors, as that of computing does', () => {
    const slow = { ...withCpu, processor: { ...withCpu.processor, lambdaSpeed: 0.5 } };

    expect(transferMs(100e6, 1, PLAIN, slow)).toBeCloseTo(2 * 320, 6);
  });

  it('is not the limit of a large model', () => {
    const seconds = transferMs(1.3e9, 1, PLAIN, withCpu) / 1000;

    expect(seconds).toBeGreaterThan(12);
    expect(seconds).toBeLessThan(14);
  });

  it('is zero for nothing', () => {
    expect(transferMs(0, 0.1, PLAIN, withCpu)).toBe(0);
  });
});

describe('the wait beyond the burst', () => {
  it('is zero for 256 MiB, and grows by 13 ms for each MiB beyond the burst', () => {
    expect(beyondBurstMs(256 * MIB, 1, PLAIN, environment)).toBe(0);
    const [less, more] = [400, 500].map((mib) => beyondBurstMs(mib * MIB, 1, PLAIN, environment));
    expect(more - less).toBeCloseTo(100 * (1000 / 75 - 1000 / 1228.8), 6);
  });

  it('begins later if the processor is slower than the burst, since the bucket refills meanwhile', () => {
    const slow = { ...environment, network: { ...environment.network, cpu: 1000 / (150 * 1.048576) } };
    const speed = { ...slow, processor: { ...slow.processor, lambdaSpeed: 1 } };

    expect(beyondBurstMs(449 * MIB, 1, PLAIN, speed)).toBe(0);
    expect(beyondBurstMs(525 * MIB, 1, PLAIN, speed)).toBeCloseTo(500, 0);
    // A processor that is slower than the sustained rate never waits for the network.
    expect(beyondBurstMs(5000 * MIB, 0.4, PLAIN, speed)).toBe(0);
  });

  it('is not told in a VPC, which has no burst', () => {
    expect(beyondBurstMs(1000 * MIB, 1, { ...PLAIN, inVpc: true }, environment)).toBe(0);
  });
});
