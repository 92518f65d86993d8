import * as fc from 'fast-check';
import { correction } from '../../../../lib/compute-time/profile/correction';

/** Corrects times of nodes without bodies. */
function corrected(times: readonly number[], total: number): number[] {
  const measured = times.map((time) => ({ time, events: 1 }));
  return measured.map(correction(measured, total));
}

const sum = (times: readonly number[]): number => times.reduce((all, time) => all + time, 0);

const times = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

it('correction makes the sum the total, and no time negative', () => {
  fc.assert(
    fc.property(times, fc.double({ min: 0.001, max: 50, noNaN: true }), (list, total) => {
      fc.pre(sum(list) > 0.001);
      const found = corrected(list, total);
      expect(Math.min(...found)).toBeGreaterThanOrEqual(0);
      expect(sum(found) / total).toBeCloseTo(1, 6);
    }),
  );
});

it('correction takes the same from each event of the profiler, and no more than a node has', () => {
  const short = [50e-6, 1e-6].map((time) => ({ time, events: 1 }));
  const measured = [{ time: 100e-6, events: 11 }, ...short];
  // Nearly 2 microseconds for each event.
  const found = measured.map(correction(measured, 78e-6 + 48e-6));
  expect(found.map((time) => Math.round(time * 1e6))).toEqual([78, 48, 0]);
});

it('correction adds at most two microseconds to a node, and scales for the rest', () => {
  const [first, second] = corrected([0.001, 0], 0.002);
  expect(second).toBeLessThan(4e-6);
  expect(first + second).toBeCloseTo(0.002, 12);
});
