import * as fc from 'fast-check';
import {
  type Alternative,
  type AlternativeId,
  ALTERNATIVES,
} from '../../../../lib/cost/alternatives/alternative';
import { compareAlternatives } from '../../../../lib/cost/alternatives/compare';
import { GREATEST_RATE, LEAST_RATE, cheapestAt, winners } from '../../../../lib/cost/alternatives/winners';

type Priced = Pick<Alternative, 'id' | 'dollarsPerMonth'>;

function priced(id: AlternativeId, dollarsPerMonth: (rate: number) => number): Priced {
  return { id, dollarsPerMonth };
}

describe('the winners by rate', () => {
  it('change where the prices of two alternatives cross', () => {
    const [perRun, always] = [priced('slices', (rate) => 0.07 * rate), priced('fargate', () => 30)];

    expect(winners([perRun, always])).toEqual([
      { id: 'slices', fromPerHour: LEAST_RATE, toPerHour: expect.closeTo(30 / 0.07, 5) as number },
      { id: 'fargate', fromPerHour: expect.closeTo(30 / 0.07, 5) as number, toPerHour: GREATEST_RATE },
    ]);
  });

  it('are none without alternatives, and one if it is always cheapest', () => {
    expect(winners([])).toEqual([]);
    expect(winners([priced('fargate', () => 3), priced('slices', () => 4)])).toEqual([
      { id: 'fargate', fromPerHour: LEAST_RATE, toPerHour: GREATEST_RATE },
    ]);
  });

  it('leave out rates at which all alternatives break a limit', () => {
    const always = priced('fargate', (rate) => (rate < 5 ? Infinity : 30));

    expect(winners([always])).toEqual([
      { id: 'fargate', fromPerHour: expect.closeTo(5, 6) as number, toPerHour: GREATEST_RATE },
    ]);
  });

  it('cover all rates, and each is cheapest at every rate of its range', () => {
    const lines = fc.uniqueArray(
      fc.record({
        id: fc.constantFrom(...ALTERNATIVES),
        standing: fc.double({ min: 0, max: 1000, noNaN: true }),
        perRate: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 6, selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(lines, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const all = given.map(({ id, standing, perRate }) => priced(id, (rate) => standing + perRate * rate));
        const ranges = winners(all);
        expect(ranges[0].fromPerHour).toBe(LEAST_RATE);
        expect(ranges[ranges.length - 1].toPerHour).toBe(GREATEST_RATE);
        ranges.slice(1).forEach(({ fromPerHour }, index) => {
          expect(fromPerHour).toBe(ranges[index].toPerHour);
        });
        for (const { id, fromPerHour, toPerHour } of ranges) {
          const rate = fromPerHour * (toPerHour / fromPerHour) ** share;
          const winner = all.find((own) => own.id === id);
          const least = cheapestAt(all, rate)?.dollarsPerMonth(rate) ?? NaN;
          // Rates of a change are exact to nine digits.
          expect(winner?.dollarsPerMonth(rate)).toBeLessThanOrEqual(least * (1 + 1e-6) + 1e-9);
        }
      }),
    );
  });

  it('have equal prices on both sides of a change between pay-per-run alternatives', () => {
    const { alternatives } = compareAlternatives(
      { peakMemoryMb: 1400, fileBytes: 1.3e9, coreSeconds: 1.08, requestBytes: 2048, responseBytes: 5e5 },
      undefined,
      { requestsPerHour: 10 },
    );
    const own = alternatives.filter(({ id }) =>
      ['one-function', 'snap-start', 'container-image'].includes(id),
    );
    const ranges = winners(own);

    for (const [index, { id, fromPerHour }] of ranges.entries()) {
      if (index === 0) continue;
      const [before, after] = [ranges[index - 1].id, id].map((name) =>
        own.find((alternative) => alternative.id === name)?.dollarsPerMonth(fromPerHour),
      );
      expect((before ?? 0) / (after ?? 1)).toBeCloseTo(1, 6);
    }
    expect(ranges.length).toBeGreaterThan(1);
  });
});
