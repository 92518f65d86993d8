/** The measurements from which constants are estimated: what telemetry says of real calls, as far as calls of slices went well. */
import { type LoggedCall, type LoggedReport, groupedBy } from '../logged-call';

/** A call that ran a slice. */
export interface CallSample extends LoggedCall {
  readonly run: string;
  readonly slice: number;
  readonly startedAt: number;
}

/** A warm-up of a slice. */
export interface WarmUpSample extends LoggedCall {
  readonly slice: number;
}

export interface Samples {
  readonly calls: readonly CallSample[];
  readonly warmUps: readonly WarmUpSample[];
  readonly reports: readonly LoggedReport[];
  /** From the end of a task to the start of the next one in milliseconds, as a state machine's history has them. */
  readonly transitions: readonly number[];
}

/** What a plan and a profile add. */
export interface SliceFacts {
  readonly memoryMb: number;
  /** Threads of ONNX Runtime. */
  readonly threads: number;
  /** Number of objects that a call reads tensors from. */
  readonly reads: number;
  /** Milliseconds of computing on one thread of the reference processor, without the writing of outputs for other slices. */
  readonly coreMs?: number;
}

export function samplesOf({
  calls,
  reports,
  transitions,
}: Pick<Samples, 'reports' | 'transitions'> & { readonly calls: readonly LoggedCall[] }): Samples {
  const ofSlices = calls.filter(isOfSlice);
  return {
    calls: ofSlices.filter(isCallSample),
    warmUps: ofSlices.filter(({ kind }) => kind === 'warm-up'),
    reports: reports.filter(({ failed }) => !failed),
    transitions,
  };
}

function isOfSlice(call: LoggedCall): call is WarmUpSample {
  return call.slice !== 'whole' && call.slice >= 0 && call.report?.failed !== true;
}

function isCallSample(call: WarmUpSample): call is CallSample {
  return call.kind === 'ran' && call.run !== undefined && call.startedAt !== undefined;
}

interface Gap {
  readonly ms: number;
  /** The call after the gap. */
  readonly next: CallSample;
}

/** Runs of so many calls do not exist; a log in which every call names one run would take long. */
const MAX_CALLS = 1000;

/**
 * The times between the calls of a run, from the end of one handler to the start of the next. Calls that overlap ran side by
 * side, so nothing is known about the time between them.
 */
export function gapsOf(calls: readonly CallSample[]): Gap[] {
  return [...groupedBy(calls, ({ run }) => run).values()]
    .filter((own) => own.length <= MAX_CALLS)
    .flatMap((own) => {
      const inOrder = own.sort((a, b) => a.startedAt - b.startedAt);
      return inOrder.slice(1).flatMap((next, index): Gap[] => {
        const previous = inOrder[index];
        const ms = next.startedAt - endOf(previous);
        return ms >= 0 && next.slice === previous.slice + 1 ? [{ ms, next }] : [];
      });
    });
}

function endOf({ startedAt, cold, warmedUp, loadMs, readMs, runMs, writeMs }: CallSample): number {
  return startedAt + (cold && !warmedUp ? loadMs : 0) + readMs + runMs + writeMs;
}
