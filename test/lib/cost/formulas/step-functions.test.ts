import { DEFAULT_ENVIRONMENT } from '../../../../lib/cost/constants/environment';
import { DEFAULT_PRICES } from '../../../../lib/cost/constants/prices';
import { GRID_MS } from '../../../../lib/cost/latency/latency-distribution';
import { executionDollars, payloadMs, transitionOf } from '../../../../lib/cost/formulas/step-functions';

const COUNTS = { slices: 4, warmUps: 3, parallels: 1 };

function dollars(type: 'express' | 'standard', meanMs = 1000, counts = COUNTS): number {
  return executionDollars(type, counts, meanMs, DEFAULT_PRICES, DEFAULT_ENVIRONMENT);
}

describe('a Standard execution', () => {
  it('costs $0.025 for a thousand transitions, with its start and end', () => {
    expect(dollars('standard')).toBeCloseTo(10 * 0.000025, 12);
    expect(dollars('standard', 1, { slices: 4, warmUps: 0, parallels: 0 })).toBeCloseTo(6 * 0.000025, 12);
  });

  it('costs the same however long it takes', () => {
    expect(dollars('standard', 1)).toBe(dollars('standard', 1e6));
  });

  it('has the published transitions', () => {
    const median = transitionOf('standard', DEFAULT_ENVIRONMENT).quantile(0.5);

    expect(Math.abs(median - 160)).toBeLessThanOrEqual(GRID_MS);
  });

  it('is slower with a payload: 64 KiB take some 80 ms', () => {
    expect(payloadMs(64 * 1024 - 1024, 'standard', DEFAULT_ENVIRONMENT)).toBeCloseTo(78, 6);
    expect(payloadMs(0, 'standard', DEFAULT_ENVIRONMENT)).toBe(0);
    expect(payloadMs(1e9, 'standard', DEFAULT_ENVIRONMENT)).toBeCloseTo(425 - 160, 6);
  });
});

describe('an Express execution', () => {
  it('costs $1 for a million, and units of 64 MB and 100 ms', () => {
    expect(dollars('express', 950)).toBeCloseTo(1e-6 + (64 / 1024) * 1 * 0.00001667, 12);
  });

  it('costs no more with more states', () => {
    expect(dollars('express')).toBe(dollars('express', 1000, { slices: 40, warmUps: 39, parallels: 1 }));
  });
});
