/** What the logs of real runs say of each call that AWS bills. Times are in milliseconds. */
import type { MeasuredCall } from '../../contract/execution';

type Measured =
  | 'cold'
  | 'warmedUp'
  | 'weightBytes'
  | 'loadMs'
  | 'readMs'
  | 'runMs'
  | 'writeMs'
  | 'bytesRead'
  | 'bytesWritten';

/** A call of a slice's function, or of the whole model. A number that its line lacks is 0. */
export interface LoggedCall extends Pick<MeasuredCall, Measured> {
  /**
   * A call that ran the slice or the whole model, a warm-up, or either that failed. Calls in which the whole model said that it is
   * cold, or loaded, count as warm-ups: each is a state of the run.
   */
  readonly kind: 'ran' | 'warm-up' | 'failed';
  /** Calls of the same run form a chain. Absent if the function could not tell, because no state machine made the call. */
  readonly run?: string;
  readonly executionArn?: string;
  /** -1 if the function could not read its own index. */
  readonly slice: number | 'whole';
  /** Since the Unix epoch; absent for warm-ups and failures. */
  readonly startedAt?: number;
  /** None if all tensors were in the event. */
  readonly s3Gets: number;
  readonly s3Puts: number;
  readonly expressGets: number;
  readonly expressPuts: number;
  /** Absent if the logs have no `REPORT` line of the call. */
  readonly report?: LoggedReport;
}

/** A `REPORT` line of Lambda. */
export interface LoggedReport {
  readonly durationMs: number;
  readonly billedMs: number;
  readonly memoryMb: number;
  /** Of the first call of a sandbox. */
  readonly initMs?: number;
  /** Whether Lambda ended the call, for its time or its memory. */
  readonly failed: boolean;
}

/** Leaves out what has no key. */
export function groupedBy<T, K>(all: readonly T[], keyOf: (one: T) => K | undefined): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
