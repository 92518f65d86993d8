/**
 * What a call leaves in the function's log: one line of JSON, which CloudWatch also takes for metrics where it is told to.
 * Format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { SliceTiming } from '../../contract/execution';
import type { SliceEvent, WarmUpAnswer } from '../../contract/slice-event';
import type { SliceFailure } from '../errors';

/** Writes a line as it is. `console.log` would put a prefix before it, behind which CloudWatch finds no metrics. */
export type WriteLine = (line: string) => void;

export const toStandardOutput: WriteLine = (line) => {
  process.stdout.write(`${line}\n`);
};

interface TelemetryOptions {
  readonly write: WriteLine;
  /** The function's name, the dimension of its metrics. */
  readonly functionName: string;
  /** Namespace of the metrics; without one there are none. */
  readonly namespace?: string;
}

type Unit = 'Count' | 'Milliseconds' | 'Bytes';

/** By the field of a line that holds the metric's value. */
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
  constructor(private readonly options: TelemetryOptions) {}

  call(run: string, timing: SliceTiming): void {
    // A load counts once: at the run's own call, whoever did it.
    this.write(
      { level: 'INFO', message: 'slice ran', run, ...timing, coldStarts: timing.cold ? 1 : 0 },
      true,
    );
  }

  warmUp(run: string, answer: WarmUpAnswer): void {
    this.write({ level: 'INFO', message: 'slice is warm', run, ...answer });
  }

  /** A warm-up that fails fails no run: its slice's own call meets the trouble again, or not. */
  failure(event: Partial<SliceEvent> | undefined, slice: number, { name, message }: SliceFailure): void {
    const warmUp = event?.warmUp === true;
    const what = warmUp
      ? { level: 'WARN', message: 'warm-up failed' }
      : { level: 'ERROR', message: 'slice failed' };
    this.write({ ...what, run: event?.run, slice, error: name, cause: message });
  }

  private write(fields: Readonly<Record<string, unknown>>, hasMetrics = false): void {
    const { functionName, namespace, write } = this.options;
    const metrics = hasMetrics && namespace !== undefined ? embeddedMetrics(namespace) : {};
    write(JSON.stringify({ ...metrics, FunctionName: functionName, ...fields }));
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
