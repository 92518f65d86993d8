/**
 * Writes one line of JSON per call to the function's log. If metrics are on, CloudWatch extracts them from the line.
 * Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { readFileSync } from 'node:fs';
import type { CallTiming } from '../../contract/execution';

/** Writes a line unchanged. `console.log` would add a prefix, and CloudWatch finds no metrics after a prefix. */
export type WriteLine = (line: string) => void;

export const toStandardOutput: WriteLine = (line) => {
  process.stdout.write(`${line}\n`);
};

/** The fields that all lines of a call have, so that a search of the logs by any of them finds these lines. */
export interface LoggedCall {
  readonly executionArn?: string;
  readonly run?: string;
  /** The call's id in Lambda's own lines `START`, `END` and `REPORT`. */
  readonly requestId?: string;
  /** The id of the X-Ray trace. Lambda names it in every call, whether or not X-Ray keeps the trace. */
  readonly traceId?: string;
}

export interface RequestCounts {
  readonly s3Gets: number;
  readonly s3Puts: number;
  readonly expressGets: number;
  readonly expressPuts: number;
}

interface FailedCall {
  readonly name: string;
  /** The JSON cause that the state machine gets. */
  readonly message: string;
  readonly slice: number;
  readonly warmUp: boolean;
  readonly isWhole: boolean;
}

type Unit = 'Count' | 'Milliseconds' | 'Bytes';

/** Units of the metrics. The keys are the fields of the line that have the values. */
const CALL_METRICS = {
  coldStarts: 'Count',
  loadMs: 'Milliseconds',
  readMs: 'Milliseconds',
  runMs: 'Milliseconds',
  writeMs: 'Milliseconds',
  bytesRead: 'Bytes',
  bytesWritten: 'Bytes',
  peakMemoryBytes: 'Bytes',
} satisfies Readonly<Record<string, Unit>>;

export class Telemetry {
  constructor(
    private readonly write: WriteLine,
    /** The dimension of the metrics. */
    private readonly functionName: string,
    /** CloudWatch namespace of the metrics; without one there are none. */
    private readonly namespace: string | undefined,
  ) {}

  /** @param timing with the number of items, of a batch */
  call(about: LoggedCall, timing: CallTiming & { readonly items?: number }, requests: RequestCounts): void {
    const message = timing.whole ? 'whole model ran' : 'slice ran';
    // Count a load once, at the run's own call, even if the warm-up did it.
    this.writeLine(
      about,
      { level: 'INFO', message, ...timing, coldStarts: timing.cold ? 1 : 0, ...requests },
      true,
    );
  }

  /** A call that runs nothing: a warm-up, or one to the function of the whole model, which is cold or loads for later runs. */
  note(about: LoggedCall, message: string, answer: object, requests: RequestCounts): void {
    this.writeLine(about, { level: 'INFO', message, ...answer, ...requests });
  }

  /**
   * A failed warm-up is a warning and does not fail the run; if the fault lasts, the slice's own call reports it. A failure of
   * the whole model only fails the run if the request is invalid: otherwise the slices serve the run.
   */
  failure(
    about: LoggedCall,
    { name, message, slice, warmUp, isWhole }: FailedCall,
    requests: RequestCounts,
  ): void {
    const summary = isWhole
      ? { level: 'WARN', message: 'whole model failed', whole: true }
      : {
          ...(warmUp
            ? { level: 'WARN', message: 'warm-up failed' }
            : { level: 'ERROR', message: 'slice failed' }),
          slice,
        };
    this.writeLine(about, { ...summary, error: name, cause: message, ...requests });
  }

  private writeLine(about: LoggedCall, fields: Readonly<Record<string, unknown>>, hasMetrics = false): void {
    const { functionName, namespace, write } = this;
    const metrics = hasMetrics && namespace !== undefined ? embeddedMetrics(namespace) : {};
    write(JSON.stringify({ ...metrics, FunctionName: functionName, ...about, ...fields }));
  }
}

function embeddedMetrics(namespace: string): object {
  const Metrics = Object.entries(CALL_METRICS).map(([Name, Unit]) => ({ Name, Unit }));
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['FunctionName']], Metrics }],
    },
  };
}

/** Measures wall-clock milliseconds between laps, rounded to a tenth. */
export class Stopwatch {
  private since = performance.now();

  lap(): number {
    const now = performance.now();
    const elapsed = now - this.since;
    this.since = now;
    return roundedTenth(elapsed);
  }
}

export function roundedTenth(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/**
 * Peak resident memory of this process so far, in bytes. On Linux this is the kernel's high-water mark `VmHWM`, because
 * `resourceUsage().maxRSS` survives `exec` there and so includes the process that started this one.
 */
export function peakMemoryBytes(): number {
  return (linuxPeakKilobytes() ?? process.resourceUsage().maxRSS) * 1024;
}

function linuxPeakKilobytes(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return found === null ? undefined : Number(found[1]);
}
