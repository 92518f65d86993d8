import { DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/environment';
import { transferMs } from '../../../../lib/cost/formulas/network';

const MIB = 2 ** 20;
const PLAIN = { inVpc: false, tls: false };
const environment = {
  ...DEFAULT_ENVIRONMENT,
  s3: { ...DEFAULT_ENVIRONMENT.s3, connectionRate: 1e6 },
  network: { ...DEFAULT_ENVIRONMENT.network, cpu: 0 },
  handler: { ...DEFAULT_ENVIRONMENT.handler, checksum: 0 },
};

describe('the network of a sandbox', () => {
  it('passes 300 MiB at 1.2 GiB/s and the rest at 75 MiB/s', () => {
    const burst = transferMs(300 * MIB, 1, PLAIN, environment);

    expect(burst).toBeCloseTo((300 / 1228.8) * 1000, 6);
    expect(transferMs(375 * MIB, 1, PLAIN, environment) - burst).toBeCloseTo(1000, 6);
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
