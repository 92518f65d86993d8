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
  readonly details?: object;
}

/** The text of a trace file: one row for the states of the machine, and one for each function that it calls. */
export function chromeTrace(
  events: readonly TraceEvent[],
  timings: readonly CallTiming[],
  simulated = 'none',
): string {
  const spans = [...stateSpans(events), ...taskSpans(events), ...timings.flatMap(phases)];
  const origin = Math.min(...spans.map(({ start }) => start));
  const rows = [...new Set(spans.map(({ row }) => row))].sort((a, b) => rank(a) - rank(b));
  const traceEvents = [
    ...rows.map((name, tid) => ({ ph: 'M', name: 'thread_name', pid: 1, tid, args: { name } })),
    ...rows.map((_, tid) => ({ ph: 'M', name: 'thread_sort_index', pid: 1, tid, args: { sort_index: tid } })),
    ...spans.map(({ name, row, start, end, details }) => ({
      ph: 'X',
      name,
      pid: 1,
      tid: rows.indexOf(row),
      ts: microseconds(start - origin),
      dur: microseconds(Math.max(0, end - start)),
      ...(details && { args: details }),
    })),
  ];
  const otherData = simulated === 'none' ? {} : { otherData: { simulated } };
  return `${JSON.stringify({ displayTimeUnit: 'ms', ...otherData, traceEvents }, undefined, 1)}\n`;
}

function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000);
}

const STATE_MACHINE = 'state machine';
/** The row of the calls of the function of the whole model. */
const WHOLE_ROW = 'whole model';
const SLICE_ROW = /^slice (\d+)$/;

/** Sorts the state machine first, then the user's own functions, then the whole model, then the slices in order. */
function rank(row: string): number {
  if (row === STATE_MACHINE) return -3;
  if (row !== WHOLE_ROW && !SLICE_ROW.test(row)) return -2;
  return Number(SLICE_ROW.exec(row)?.[1] ?? -1);
}

/** Spans of the outermost states. States of branches would overlap in one row, and their tasks have their own rows. */
function stateSpans(events: readonly TraceEvent[]): Span[] {
  const spans: Span[] = [];
  let open: TraceEvent | undefined;
  for (const event of events) {
    if (event.type === 'StateEntered') open ??= event;
    if (event.type !== 'StateExited' || event.state !== open?.state) continue;
    spans.push({ name: event.state, row: STATE_MACHINE, start: open.time, end: event.time });
    open = undefined;
  }
  // The state in which an execution fails has no exit event.
  const end = events.at(-1)?.time;
  if (open !== undefined && end !== undefined) {
    spans.push({
      name: open.state,
      row: STATE_MACHINE,
      start: open.time,
      end,
      details: { unfinished: true },
    });
  }
  return spans;
}

/** Spans of function calls, from start to response, as the state machine sees them. */
function taskSpans(events: readonly TraceEvent[]): Span[] {
  const started = new Map<string, number>();
  const spans: Span[] = [];
  for (const event of events) {
    if (event.type === 'TaskStarted') started.set(event.state, event.time);
    if (event.type !== 'TaskSucceeded' && event.type !== 'TaskFailed') continue;
    const start = started.get(event.state) ?? event.time;
    const failure = event.type === 'TaskFailed' ? { error: event.error } : {};
    const details = { attempt: event.attempt, ...failure };
    spans.push({ name: event.state, row: rowOf(event.state), start, end: event.time, details });
  }
  return spans;
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
function phases(timing: CallTiming): Span[] {
  const { slice, startedAt, warmedUp, loadMs, readMs, runMs, writeMs, weightBytes } = timing;
  const { bytesRead, bytesWritten } = timing;
  const parts: [name: string, ms: number, details: object][] = [
    ['load', warmedUp ? 0 : loadMs, { bytes: weightBytes }],
    ['read', readMs, { bytes: bytesRead }],
    ['run', runMs, {}],
    ['write', writeMs, { bytes: bytesWritten }],
  ];
  let start = startedAt;
  return parts.flatMap(([name, ms, details]) => {
    const span = {
      name,
      row: slice === undefined ? WHOLE_ROW : `slice ${String(slice).padStart(2, '0')}`,
      start,
      end: start + ms,
      details,
    };
    start = span.end;
    return ms > 0 ? [span] : [];
  });
}
