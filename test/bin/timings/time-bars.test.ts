import { repeatLines, type TimedRun } from '../../../bin/timings/repeats';
import { timeBars } from '../../../bin/timings/time-bars';
import type { SliceTiming } from '../../../contract/execution';

const STARTED = 1_800_000_000_000;

/** A slice that loads for 200 ms, in a warm-up unless it is the first. */
function timingOf(slice: number, changes: Partial<SliceTiming> = {}): SliceTiming {
  const times = { startedAt: STARTED + 250 * slice, loadMs: 200, readMs: 0, runMs: 40, writeMs: 10 };
  const sizes = { weightBytes: 1, bytesRead: 0, bytesWritten: 0, peakMemoryBytes: 2 ** 27, memoryMb: 512 };
  return { slice, cold: true, warmedUp: slice > 0, ...times, ...sizes, ...changes };
}

beforeEach(() => Object.assign(process.stdout, { columns: 80 }));

test('bars of a cold run show warm-ups beside the first slice', () => {
  const last = timingOf(1, { readMs: 100, runMs: 100, writeMs: 50 });
  expect(timeBars([timingOf(0), last]).split('\n')).toEqual([
    'slice  load  read  run  write  peak MB  0                                 500 ms',
    '    0   200     0   40     10      128  ░░░░░░░░░░░░░░░░███═',
    '    1   200   100  100     50      128  ░░░░░░░░░░░░░░░░    ────────████████════',
    '░ load  ─ read  █ run  ═ write  (ms); warm-ups load beside the first slice',
  ]);
});

test('bars of a warm run show no load, and a short call has a mark', () => {
  const warm = { cold: false, warmedUp: false, loadMs: 0 };
  const late = timingOf(2, { ...warm, startedAt: STARTED + 60_000, runMs: 1, writeMs: 0 });
  const lines = timeBars([timingOf(0, warm), late]).split('\n');
  expect(lines[1]).toMatch(/^ +0 +– +0 +40 +10 +128 {2}█$/);
  expect(lines[2]).toMatch(/^ +2 +– +0 +1 +0 +128 {36,}█$/);
  expect(lines[3]).toBe('░ load  ─ read  █ run  ═ write  (ms); – was loaded before');
});

test('bars of hundreds of slices are within 80 columns, also with times from nowhere', () => {
  const many = Array.from({ length: 300 }, (_, slice) => timingOf(slice, { runMs: slice }));
  const lines = timeBars([...many, timingOf(300, { runMs: 1e300, writeMs: -1 })]).split('\n');
  expect(lines).toHaveLength(303);
  const whole = timeBars([{ ...timingOf(0), slice: undefined, whole: true }]);
  expect(Math.max(...whole.split('\n').map((line) => line.length))).toBe(80);
  process.stdout.columns = 40;
  expect(timeBars([timingOf(0)]).split('\n')[0]).toHaveLength(60);
});

describe('repeated runs', () => {
  const runs = (cold: readonly number[], warm: readonly number[]): TimedRun[] => [
    ...cold.map((ms) => ({ ms, timings: [timingOf(0)] })),
    ...warm.map((ms) => ({ ms, timings: [timingOf(0, { cold: false })] })),
  ];
  const few = '(with fewer than 20, p95 is the slowest)';

  it.each<[readonly number[], readonly number[], readonly string[]]>([
    [[900], [10, 30, 20], ['900 ms in run 1', 'p50 20 ms, p95 30 ms of 3 warm runs ' + few]],
    [
      [],
      Array.from({ length: 20 }, (_, index) => index + 1),
      ['none, all', 'p50 11 ms, p95 19 ms of 20 warm runs'],
    ],
    [
      [900, 1500],
      [],
      ['900 ms in run 1 (and 1 more, the slowest 1.5 s)', 'none, each run of the slices had to load one'],
    ],
  ])('cold ones of %j ms and warm ones of %j ms', (cold, warm, [coldText = '', warmText = '']) => {
    const [first, second] = repeatLines(runs(cold, warm));
    expect(first).toContain(`cold: ${coldText}`);
    expect(second).toBe(`warm: ${warmText}`);
  });

  it('have figures of the slices and of the whole model', () => {
    const timings = [{ ...timingOf(0, { cold: false }), slice: undefined, whole: true as const }];
    expect(repeatLines([...runs([9], [8]), { ms: 5, timings }]).slice(1)).toEqual([
      `warm, slices: p50 8 ms, p95 8 ms of 1 warm run ${few}`,
      `warm, whole model: p50 5 ms, p95 5 ms of 1 warm run ${few}`,
    ]);
  });
});
