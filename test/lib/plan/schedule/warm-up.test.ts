import * as fc from 'fast-check';
import type { SlicePlan } from '../../../../lib/plan/file/plan';
import type { Schedule } from '../../../../lib/cost/schedule';
import {
  scheduleSlices,
  slicesOf,
  isWarmUpWorthwhile,
  loadSeconds,
  withWarmUps,
} from '../../../../lib/plan/schedule/schedule';
import { anyReads, plan, scheduleText } from '../../../support/scheduled-plan';

test.each<[string, number[][], string]>([
  ['one slice', [[]], '0'],
  ['a chain', [[], [0], [1]], '(0 | w1 | w2) 1 2'],
  ['two towers', [[], [], [0, 1]], '(0 | 1 | w2) 2'],
  [
    'two towers of two, which each warm up their second slice',
    [[], [0], [], [2], [1, 3]],
    '((0 | w1) 1 | (2 | w3) 3 | w4) 4',
  ],
  ['an ensemble', [[], [0], [0], [1, 2]], '(0 | w1 | w2 | w3) (1 | 2) 3'],
])('withWarmUps handles %s', (_, reads, expected) => {
  expect(scheduleText(withWarmUps(scheduleSlices(plan(reads))))).toBe(expected);
});

test('withWarmUps starts or warms up each slice once, at the start of the run', () => {
  fc.assert(
    fc.property(anyReads, (reads) => {
      const schedule = withWarmUps(scheduleSlices(plan(reads)));
      const atOnce = startingAtOnce(schedule);
      expect(atOnce.map(({ slice }) => slice).sort((a, b) => a - b)).toEqual(reads.map((_, slice) => slice));
      expect([...slicesOf(schedule)].sort((a, b) => a - b)).toEqual(reads.map((_, slice) => slice));
      const warmUps = scheduleText(schedule).split('w').length - 1;
      expect(warmUps).toBe(atOnce.filter(({ kind }) => kind === 'warm-up').length);
    }),
  );
});

function startingAtOnce([first]: Schedule): { kind: string; slice: number }[] {
  return first.kind === 'parallel' ? first.branches.flatMap(startingAtOnce) : [first];
}

describe('isWarmUpWorthwhile', () => {
  /** A plan whose slices take the given seconds to load. */
  const loading = (...seconds: number[]): SlicePlan =>
    ({
      slices: seconds.map((each) => ({ model: { bytes: 0 }, weights: { bytes: each * 40e6 } })),
    }) as unknown as SlicePlan;

  test.each([
    ['is false with one slice', [60], true, false],
    ['is true in Express machines', [0.1, 0.1], true, true],
    ['is true in Standard machines if warm-ups save two seconds', [3, 2], false, true],
    ['is false in Standard machines if warm-ups save less', [3, 1.9], false, false],
  ])('%s', (_, seconds, isExpress, expected) => {
    expect(isWarmUpWorthwhile(loading(...seconds), isExpress)).toBe(expected);
  });
});

test('loadSeconds counts only the graph of a slice without weights', () => {
  const slices = [{ model: { bytes: 20e6 } }] as unknown as SlicePlan['slices'];
  expect(loadSeconds({ slices } as SlicePlan)).toEqual([0.5]);
});
