/** What the logs of real runs say of each call that AWS bills. */

/** A call of a slice's function. Times are in milliseconds. */
export interface BilledCall {
  /**
   * A call that ran the slice or the whole model, a warm-up, or either that failed. Calls in which the whole model said that it is
   * cold, or loaded, count as warm-ups: each is a state of the run.
   */
  readonly kind: 'ran' | 'warm-up' | 'failed';
  /** Absent if the function could not tell, because no state machine made the call. */
  readonly run?: string;
  readonly executionArn?: string;
  /** -1 if the function could not read its own index. */
  readonly slice: number | 'whole';
  /** Since the Unix epoch; absent for warm-ups and failures. */
  readonly startedAt?: number;
  readonly runMs: number;
  /** Time of loading in this call: 0 if a warm-up loaded the slice. */
  readonly loadMs: number;
  /** Size of the slice's files, which are in `/tmp`; 0 if the line does not say. */
  readonly weightBytes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly s3Gets: number;
  readonly s3Puts: number;
  readonly expressGets: number;
  readonly expressPuts: number;
  /** Absent if the logs have no `REPORT` line of the call. */
  readonly report?: BilledReport;
}

/** A `REPORT` line. */
export interface BilledReport {
  readonly billedMs: number;
  readonly memoryMb: number;
  /** Of the first call of a sandbox. */
  readonly initMs?: number;
}
