/** The times between the calls of a run: from the end of one handler to the start of the next. */
import type { CallSample } from './samples';

export interface Gap {
  readonly ms: number;
  /** The call after the gap. */
  readonly next: CallSample;
}

/** Runs of so many calls do not exist; a log in which every call names one run would take long. */
const MAX_CALLS = 1000;

/** Calls that overlap ran side by side, so nothing is known about the time between them. */
export function gapsOf(calls: readonly CallSample[]): Gap[] {
  const runs = new Map<string, CallSample[]>();
  for (const call of calls) {
    const own = runs.get(call.run);
    if (own === undefined) runs.set(call.run, [call]);
    else own.push(call);
  }
  return [...runs.values()]
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
