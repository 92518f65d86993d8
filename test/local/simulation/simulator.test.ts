import { Socket } from 'node:net';
import type { Pairs } from '../../../lib/cost/constants/constant';
import { DEFAULT_ENVIRONMENT } from '../../../lib/cost/constants/defaults';
import { simulationOf } from '../../../local/simulation/presets';
import { Simulator } from '../../../local/simulation/simulator';

const { s3, stepFunctions } = DEFAULT_ENVIRONMENT;

/** A request over a connection that has long carried requests. */
const GET = { store: 'standard', operation: 'get', socket: new Socket(), openedAt: -1 } as const;
const PUT = { ...GET, operation: 'put' } as const;

type Draw = (count: number, seed?: number) => number[];

/** Milliseconds that requests wait, after the first one. */
function waits(request: typeof GET | typeof PUT, more: { readonly store?: 'express' } = {}, fn = 'fn'): Draw {
  return (count, seed = 0) => {
    const traffic = new Simulator(simulationOf('aws'), seed).trafficOf(fn);
    const wait = () => traffic?.firstByteMs({ ...request, ...more }, 0) ?? NaN;
    return Array.from({ length: count + 1 }, wait).slice(1);
  };
}

function transitions(type: 'EXPRESS' | 'STANDARD', bytes: number): Draw {
  return (count, seed) => {
    const draw = new Simulator(simulationOf('aws'), seed).transitionsOf('machine', type);
    return Array.from({ length: count }, () => draw?.(bytes) ?? NaN);
  };
}

test.each<[string, Draw, Pairs]>([
  ['a GET of S3 Standard', waits(GET), s3.standardGet],
  ['a GET of S3 Express', waits(GET, { store: 'express' }), s3.expressGet],
  ['a PUT of S3 Express', waits(PUT, { store: 'express' }), s3.expressPut],
  ['transitions of a Standard machine', transitions('STANDARD', 1024), stepFunctions.standard1KiB],
  ['transitions with 64 KiB', transitions('STANDARD', 65_536), stepFunctions.standard64KiB],
  ['transitions of an Express machine', transitions('EXPRESS', 65_536), stepFunctions.express],
])('the delays of %s have the published percentiles', (_, draw, published) => {
  const sorted = draw(20_000).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round((sorted.length - 1) * share)];
  for (const [percent, ms] of published.filter(([own]) => own <= 99)) {
    // A hundredth to each side: the samples are random.
    expect(at(Math.max(0, percent / 100 - 0.01))).toBeLessThanOrEqual(ms);
    expect(at(Math.min(1, percent / 100 + 0.009))).toBeGreaterThanOrEqual(ms);
  }
});

test('delays depend on the seed, the place and the count alone', () => {
  for (const draw of [waits(GET), transitions('EXPRESS', 0)]) {
    expect(draw(50, 1)).toEqual(draw(50, 1));
    expect(draw(50, 1)).not.toEqual(draw(50, 2));
  }
  expect(waits(GET, {}, 'other')(50, 1)).not.toEqual(waits(GET)(50, 1));
  const simulator = new Simulator(simulationOf('aws'));
  const [first, second] = [1, 2].map(() => {
    const traffic = simulator.trafficOf('fn');
    return Array.from({ length: 20 }, () => traffic?.firstByteMs(GET, 0));
  });
  expect(first).not.toEqual(second);
});

test('delays are absent for what a simulation does not have', () => {
  const { transitions, storage } = simulationOf('aws');
  const express = new Simulator({ transitions: { express: transitions?.express } });
  expect(express.trafficOf('fn')).toBeUndefined();
  expect(express.transitionsOf('machine', 'STANDARD')).toBeUndefined();
  expect(express.transitionsOf('machine', 'EXPRESS')).toBeInstanceOf(Function);
  expect(express.coldStartMs).toBeUndefined();
  const inZone = new Simulator({ storage: { express: storage?.express } });
  expect(inZone.trafficOf('fn')?.firstByteMs(GET, 0)).toBe(0);
});
