/** What telemetry says of real calls: the measurements from which constants are estimated. Times are in milliseconds. */

/** One call of a slice's function. */
export interface CallSample {
  /** Calls of the same run form a chain. */
  readonly run: string;
  readonly slice: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Whether the run loaded the slice, in this call or in its warm-up. */
  readonly cold: boolean;
  readonly warmedUp: boolean;
  /** Size of the slice's files. */
  readonly weightBytes: number;
  readonly loadMs: number;
  readonly readMs: number;
  readonly runMs: number;
  readonly writeMs: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Number of reads from S3: none if all tensors were in the event. Absent in logs of earlier versions. */
  readonly gets?: number;
  /** From Lambda's report of the call, if there is one. */
  readonly report?: ReportSample;
}

/** A warm-up. */
export interface WarmUpSample {
  readonly slice: number;
  readonly cold: boolean;
  readonly report?: ReportSample;
}

/** A `REPORT` line of Lambda. */
export interface ReportSample {
  readonly durationMs: number;
  readonly memoryMb: number;
  /** Only for the first call of a sandbox. */
  readonly initMs?: number;
}

export interface Samples {
  readonly calls: readonly CallSample[];
  readonly warmUps: readonly WarmUpSample[];
  readonly reports: readonly ReportSample[];
  /** From the end of a task to the start of the next one, as a state machine's history has them. */
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
