import { chromeTrace } from '../../../bin/timings/trace-file';
import type { SliceTiming } from '../../../client';
import type { TraceEvent } from '../../../local';

const EXECUTION = { executionArn: 'the-execution' };

function timing(slice: number, more: Partial<SliceTiming>): SliceTiming {
  return {
    ...{ slice, startedAt: 0, cold: true, warmedUp: false, weightBytes: 100, loadMs: 0, readMs: 1 },
    ...{ runMs: 2, writeMs: 3, bytesRead: 10, bytesWritten: 20, peakMemoryBytes: 1, memoryMb: 128, ...more },
  };
}

/** Two slices: the second one loads while the first one runs, then fails. */
const EVENTS: TraceEvent[] = [
  { ...EXECUTION, time: 1001, state: 'Slice 00', type: 'TaskStarted', attempt: 0 },
  { ...EXECUTION, time: 1001, state: 'Warm-up 01', type: 'TaskStarted', attempt: 0 },
  { ...EXECUTION, time: 1040, state: 'Warm-up 01', type: 'TaskSucceeded', attempt: 0 },
  { ...EXECUTION, time: 1060, state: 'Slice 00', type: 'TaskSucceeded', attempt: 0 },
  { ...EXECUTION, time: 1062, state: 'Slice 01', type: 'TaskStarted', attempt: 0 },
  { ...EXECUTION, time: 1070, state: 'Slice 01', type: 'TaskFailed', attempt: 0, error: 'E', cause: '' },
];

const TIMINGS = [
  timing(0, { startedAt: 1005, loadMs: 30 }),
  timing(1, { startedAt: 1063, loadMs: 35, warmedUp: true }),
];

interface TraceFile {
  readonly traceEvents: readonly {
    readonly ph: string;
    readonly name: string;
    readonly tid: number;
    readonly ts: number;
    readonly dur: number;
    readonly args?: Record<string, unknown>;
  }[];
}

test('chromeTrace draws calls and the phases that functions report, with one row per function', () => {
  const { traceEvents } = JSON.parse(chromeTrace(EVENTS, TIMINGS)) as TraceFile;
  const rows = traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.name);
  expect(rows).toEqual(['slice 00', 'slice 01']);
  const spans = traceEvents
    .filter(({ ph }) => ph === 'X')
    .map(({ name, tid, ts, dur }) => `${rows[tid] as string}: ${name} ${ts / 1000}+${dur / 1000}`);
  expect(spans.sort()).toEqual([
    'slice 00: Slice 00 0+59',
    'slice 00: load 4+30',
    'slice 00: read 34+1',
    'slice 00: run 35+2',
    'slice 00: write 37+3',
    'slice 01: Slice 01 61+8',
    'slice 01: Warm-up 01 0+39',
    'slice 01: read 62+1',
    'slice 01: run 63+2',
    'slice 01: write 65+3',
  ]);
  const failed = traceEvents.find(({ name, ph }) => ph === 'X' && name === 'Slice 01');
  expect(failed?.args).toEqual({ attempt: 0, error: 'E' });
});
