import { Socket } from 'node:net';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/environment';
import type { Pairs } from '../../../lib/cost/constants/constant';
import { SIMULATIONS } from '../../../local/simulation/presets';
import { Simulator } from '../../../local/simulation/simulator';

const { s3, stepFunctions } = DEFAULT_ENVIRONMENT;

/** A connection that has long carried requests. */
const SOCKET = new Socket();

/** Milliseconds that requests wait, after the first one. */
function waits(
  { store, operation }: { store: 'standard' | 'express'; operation: 'get' | 'put' },
  count: number,
  { seed = 0, functionName = 'fn' } = {},
): number[] {
  const traffic = new Simulator(SIMULATIONS.aws, seed).trafficOf(functionName);
  const request = { store, operation, socket: SOCKET, openedAt: -1 };
  return Array.from({ length: count + 1 }, () => traffic?.firstByteMs(request, 0) ?? NaN).slice(1);
}

function transitions(type: 'EXPRESS' | 'STANDARD', bytes: number, count: number, seed = 0): number[] {
  const draw = new Simulator(SIMULATIONS.aws, seed).transitionsOf('machine', type);
  return Array.from({ length: count }, () => draw?.(bytes) ?? NaN);
}

function expectPercentiles(samples: readonly number[], published: Pairs): void {
  const sorted = [...samples].sort((a, b) => a - b);
  for (const [percent, ms] of published.filter(([own]) => own <= 99)) {
    const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)];
    // A hundredth to each side: the samples are random.
    expect(at(Math.max(0, percent / 100 - 0.01))).toBeLessThanOrEqual(ms);
    expect(at(Math.min(1, percent / 100 + 0.009))).toBeGreaterThanOrEqual(ms);
  }
}

describe('simulated delays', () => {
  it.each([
    ['a GET of S3 Standard', { store: 'standard', operation: 'get' }, s3.standardGet],
    ['a PUT of S3 Standard', { store: 'standard', operation: 'put' }, s3.standardPut],
    ['a GET of S3 Express', { store: 'express', operation: 'get' }, s3.expressGet],
    ['a PUT of S3 Express', { store: 'express', operation: 'put' }, s3.expressPut],
  ] as const)('of %s have the published percentiles', (_, request, published) => {
    expectPercentiles(waits(request, 20_000), published);
  });

  it.each([
    ['a Standard machine with a small event', 'STANDARD', 1024, stepFunctions.standard1KiB],
    ['a Standard machine with 64 KiB', 'STANDARD', 65_536, stepFunctions.standard64KiB],
    ['an Express machine', 'EXPRESS', 65_536, stepFunctions.express],
  ] as const)('of transitions of %s have the published percentiles', (_, type, bytes, published) => {
    expectPercentiles(transitions(type, bytes, 20_000), published);
  });

  it('depend on the seed, the place and the count alone', () => {
    const request = { store: 'standard', operation: 'get' } as const;
    const drawn = waits(request, 50, { seed: 1 });

    expect(waits(request, 50, { seed: 1 })).toEqual(drawn);
    expect(waits(request, 50, { seed: 2 })).not.toEqual(drawn);
    expect(waits(request, 50, { seed: 1, functionName: 'other' })).not.toEqual(drawn);
    expect(transitions('EXPRESS', 0, 50, 1)).toEqual(transitions('EXPRESS', 0, 50, 1));
    expect(transitions('EXPRESS', 0, 50, 1)).not.toEqual(transitions('EXPRESS', 0, 50, 2));
  });

  it('differ between two sandboxes of a function', () => {
    const simulator = new Simulator(SIMULATIONS.aws);
    const request = { store: 'standard', operation: 'get', socket: SOCKET, openedAt: -1 } as const;
    const [first, second] = [1, 2].map(() => {
      const traffic = simulator.trafficOf('fn');
      return Array.from({ length: 20 }, () => traffic?.firstByteMs(request, 0));
    });

    expect(first).not.toEqual(second);
  });

  it('are absent for what a simulation does not name', () => {
    const express = new Simulator(SIMULATIONS['express-transitions']);
    expect(express.trafficOf('fn')).toBeUndefined();
    expect(express.transitionsOf('machine', 'STANDARD')).toBeUndefined();
    expect(express.transitionsOf('machine', 'EXPRESS')).toBeInstanceOf(Function);
    expect(express.coldStartMs).toBeUndefined();
    const onlyExpress = new Simulator(SIMULATIONS['s3-express']).trafficOf('fn');
    expect(
      onlyExpress?.firstByteMs({ store: 'standard', operation: 'get', socket: SOCKET, openedAt: 0 }, 0),
    ).toBe(0);
  });
});
