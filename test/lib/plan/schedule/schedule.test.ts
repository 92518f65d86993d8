import * as fc from 'fast-check';
import type { Schedule } from '../../../../lib/cost/schedule';
import type { SlicePlan } from '../../../../lib/plan/file/plan';
import {
  areWarmUpsWorthwhile,
  filesOfSlices,
  scheduleSlices,
  slicesOf,
  withWarmUps,
} from '../../../../lib/plan/schedule/schedule';
import { anyReads, plan, scheduleText } from '../../../support/scheduled-plan';

test.each<[string, number[][], string]>([
  ['one slice', [[]], '0'],
  ['a chain', [[], [0], [1]], '0 1 2'],
  ['a chain with skips', [[], [0], [0, 1], [0, 2]], '0 1 2 3'],
  ['two towers', [[], [], [0, 1]], '(0 | 1) 2'],
  ['two towers of two', [[], [0], [], [2], [1, 3]], '(0 1 | 2 3) 4'],
  ['two towers of two with alternating numbers', [[], [], [0], [1], [2, 3]], '(0 2 | 1 3) 4'],
  ['an ensemble', [[], [0], [0], [0], [1, 2, 3]], '0 (1 | 2 | 3) 4'],
  ['two blocks of branches', [[], [0], [0], [1, 2], [3], [3], [4, 5]], '0 (1 | 2) 3 (4 | 5) 6'],
  ['branches in branches', [[], [0], [1], [1], [2, 3], [0], [4, 5]], '0 (1 (2 | 3) 4 | 5) 6'],
  ['outputs of earlier slices, which the last slice gathers', [[], [0], [0]], '0 1 2'],
  ['two sources that are both read twice', [[], [], [0, 1], [0, 1], [2, 3]], '(0 | 1) (2 | 3) 4'],
  ['a branch that starts first and goes on last', [[], [], [0], [1, 2]], '(0 2 | 1) 3'],
  ['a branch that joins others out of order', [[], [], [], [0], [2, 3], [1, 4]], '((0 3 | 2) 4 | 1) 5'],
  [
    'stages with several levels between two slices',
    [[], [0], [0], [1, 2], [1, 2], [3, 4], [3, 4], [5, 6]],
    '0 (1 | 2) (3 | 4) (5 | 6) 7',
  ],
  ['levels whose numbers alternate', [[], [0], [], [0, 2], [1, 3]], '(0 | 2) (1 | 3) 4'],
  ['reads that sequences and branches cannot express', [[], [], [0], [0, 1], [2, 3]], '(0 | 1) (2 | 3) 4'],
])('scheduleSlices handles %s', (_, reads, expected) => {
  expect(scheduleText(scheduleSlices(plan(reads)))).toBe(expected);
});

test('scheduleSlices does not wait for values of the request', () => {
  const request = { source: { from: 'request' } } as const;
  const from = (slice: number) => ({ source: { from: 'slice', slice } }) as const;
  const slices = [{ inputs: [request] }, { inputs: [request] }, { inputs: [request, from(0)] }];
  expect(scheduleText(scheduleSlices({ slices, outputs: [request, from(1), from(2)] }))).toBe('(0 | 1) 2');
});

test('scheduleSlices runs each slice once, after all slices that it reads from', () => {
  fc.assert(
    fc.property(anyReads, (reads) => {
      const schedule = scheduleSlices(plan(reads));
      expect([...slicesOf(schedule)].sort((a, b) => a - b)).toEqual(reads.map((_, slice) => slice));
      // Returns the slices that have run after the stages, given the slices that have run before.
      const run = (stages: Schedule, before: ReadonlySet<number>): ReadonlySet<number> =>
        stages.reduce<ReadonlySet<number>>((done, stage) => {
          if (stage.kind === 'parallel')
            return new Set(stage.branches.flatMap((branch) => [...run(branch, done)]));
          for (const source of reads[stage.slice]) expect(done).toContain(source);
          return new Set([...done, stage.slice]);
        }, before);
      run(schedule, new Set());
    }),
  );
});

test.each<[string, number[][], string]>([
  ['one slice', [[]], '0'],
  ['a chain', [[], [0], [1]], '(0 | w1 | w2) 1 2'],
  ['two towers', [[], [], [0, 1]], '(0 | 1 | w2) 2'],
  ['two towers of two, each with a warm-up', [[], [0], [], [2], [1, 3]], '((0 | w1) 1 | (2 | w3) 3 | w4) 4'],
  ['an ensemble', [[], [0], [0], [1, 2]], '(0 | w1 | w2 | w3) (1 | 2) 3'],
])('withWarmUps handles %s', (_, reads, expected) => {
  expect(scheduleText(withWarmUps(scheduleSlices(plan(reads))))).toBe(expected);
});

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
])('areWarmUpsWorthwhile %s', (_, seconds, isExpress, expected) => {
  expect(areWarmUpsWorthwhile(filesOfSlices(loading(...seconds)), isExpress)).toBe(expected);
});
