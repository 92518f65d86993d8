/** The measurements from which constants are estimated: what telemetry says of real calls, as far as calls of slices went well. */
import type { LoggedCall, LoggedReport } from '../logged-call';

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

/** What logs say. */
interface Logs {
  readonly calls: readonly LoggedCall[];
  readonly reports: readonly LoggedReport[];
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

export function samplesOf({ calls, reports, transitions }: Logs): Samples {
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
