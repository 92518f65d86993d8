/**
 * Writes the timeline of an execution in the trace format of Chrome, Perfetto and Speedscope.
 * Format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
import type { CallTiming } from '../../client';
import type { TraceEvent } from '../../local';

interface Span {
  readonly name: string;
  /** The row that shows the span. */
  readonly row: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly details: object;
}

/** The text of a trace file: one row for each function that the state machine calls. */
export function chromeTrace(
  events: readonly TraceEvent[],
  timings: readonly CallTiming[],
  simulated = 'none',
): string {
  const spans = [...taskSpans(events), ...timings.flatMap(phases)];
  const origin = Math.min(...spans.map(({ start }) => start));
  const rows = [...new Set(spans.map(({ row }) => row))].sort((a, b) => rank(a) - rank(b));
  const traceEvents = [
    ...rows.flatMap((name, tid) => [
      { ph: 'M', name: 'thread_name', pid: 1, tid, args: { name } },
      { ph: 'M', name: 'thread_sort_index', pid: 1, tid, args: { sort_index: tid } },
    ]),
    ...spans.map(({ name, row, start, end, details }) => ({
      ...{ ph: 'X', name, pid: 1, tid: rows.indexOf(row), args: details },
      ts: microseconds(start - origin),
      dur: microseconds(Math.max(0, end - start)),
    })),
  ];
  const otherData = simulated === 'none' ? {} : { otherData: { simulated } };
  return `${JSON.stringify({ displayTimeUnit: 'ms', ...otherData, traceEvents }, undefined, 1)}\n`;
}

function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000);
}

const WHOLE_ROW = 'whole model';

/** Sorts the user's own functions first, then the whole model, then the slices in order. */
function rank(row: string): number {
  return row === WHOLE_ROW ? -1 : Number(/^slice (\d+)$/.exec(row)?.[1] ?? -2);
}

/** Spans of function calls, from start to response, as the state machine sees them. */
function taskSpans(events: readonly TraceEvent[]): Span[] {
  const started = new Map<string, number>();
  return events.flatMap((event) => {
    if (event.type === 'TaskStarted') started.set(event.state, event.time);
    if (event.type !== 'TaskSucceeded' && event.type !== 'TaskFailed') return [];
    const { state: name, time: end, attempt } = event;
    const details = { attempt, ...(event.type === 'TaskFailed' && { error: event.error }) };
    return [{ name, row: rowOf(name), start: started.get(name) ?? end, end, details }];
  });
}

/**
 * The states of a slice and of its warm-up, `Slice 01` and `Warm-up 01`, call the same function, and so do those that ask the
 * whole model and load it.
 */
function rowOf(state: string): string {
  if (/^(?:Ask|Load) whole model$/.test(state)) return WHOLE_ROW;
  const number = /^(?:Slice|Warm-up) (\d+)$/.exec(state)?.at(1);
  return number === undefined ? state : `slice ${number}`;
}

/** The phases that a function reports. A load by a warm-up already shows as the warm-up's call. */
function phases({
  slice,
  startedAt,
  warmedUp,
  loadMs,
  readMs,
  runMs,
  writeMs,
  ...bytes
}: CallTiming): Span[] {
  const row = slice === undefined ? WHOLE_ROW : `slice ${String(slice).padStart(2, '0')}`;
  let end = startedAt;
  return [
    { name: 'load', ms: warmedUp ? 0 : loadMs, details: { bytes: bytes.weightBytes } },
    { name: 'read', ms: readMs, details: { bytes: bytes.bytesRead } },
    { name: 'run', ms: runMs, details: {} },
    { name: 'write', ms: writeMs, details: { bytes: bytes.bytesWritten } },
  ].flatMap(({ name, ms, details }) => {
    const start = end;
    end += ms;
    return ms > 0 ? [{ name, row, start, end, details }] : [];
  });
}
