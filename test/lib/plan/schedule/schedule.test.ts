import * as fc from 'fast-check';
import type { Schedule } from '../../../../lib/plan/schedule/schedule';
import { scheduleSlices, slicesOf } from '../../../../lib/plan/schedule/schedule';
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
  ['reads that sequences and branches cannot express', [[], [], [0], [0, 1], [2, 3]], '(0 | 1) (2 | 3) 4'],
])('scheduleSlices handles %s', (_, reads, expected) => {
  expect(scheduleText(scheduleSlices(plan(reads)))).toBe(expected);
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

test('scheduleSlices puts a hundred slices that all read from each other in sequence', () => {
  const reads = Array.from({ length: 100 }, (_, slice) =>
    Array.from({ length: slice }, (__, earlier) => earlier),
  );
  expect(scheduleSlices(plan(reads))).toHaveLength(100);
});
