/** Reads one message of a log: a call or a warm-up of a slice function, or a `REPORT` of Lambda. */
import type { CallSample, ReportSample, WarmUpSample } from '../../lib/cost/calibration/samples';
import { BadField, flag, numberIn, whole, type LogFields } from './log-fields';
import { FIRST_START, LAST_START, MAX_BYTES, MAX_CALL_MS, MAX_MEMORY_MB, MAX_SLICE } from './limits';

export type Parsed =
  | { readonly kind: 'call'; readonly call: CallSample }
  | { readonly kind: 'warm-up'; readonly warmUp: WarmUpSample }
  | { readonly kind: 'report'; readonly report: ReportSample }
  /** Nothing that calibration uses. */
  | { readonly kind: 'other' }
  /** Such a message, but with a field that no call can have. */
  | { readonly kind: 'refused'; readonly reason: string };

const OTHER: Parsed = { kind: 'other' };

/** Longest name of a run that is kept. */
const MAX_RUN_CHARACTERS = 256;

export function parseMessage(text: string): Parsed {
  try {
    return text.startsWith('REPORT RequestId:') ? report(text) : telemetry(text);
  } catch (error) {
    if (error instanceof BadField) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

function telemetry(text: string): Parsed {
  if (!text.startsWith('{')) return OTHER;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A function may log text that begins like JSON.
    return OTHER;
  }
  const fields = value as LogFields;
  switch (fields.message) {
    case 'slice ran':
      return { kind: 'call', call: callOf(fields) };
    case 'slice is warm':
      return {
        kind: 'warm-up',
        warmUp: { slice: whole(fields, 'slice', 0, MAX_SLICE), cold: flag(fields, 'cold') },
      };
    default:
      return isReportEvent(fields) ? reportEvent(fields) : OTHER;
  }
}

function callOf(fields: LogFields): CallSample {
  const ms = (name: string): number => numberIn(fields, name, 0, MAX_CALL_MS);
  const bytes = (name: string): number => whole(fields, name, 0, MAX_BYTES);
  const { run } = fields;
  if (typeof run !== 'string' || run.length > MAX_RUN_CHARACTERS) throw new BadField('run is not a name');
  return {
    run,
    slice: whole(fields, 'slice', 0, MAX_SLICE),
    startedAt: numberIn(fields, 'startedAt', FIRST_START, LAST_START),
    cold: flag(fields, 'cold'),
    warmedUp: flag(fields, 'warmedUp'),
    weightBytes: bytes('weightBytes'),
    ...{ loadMs: ms('loadMs'), readMs: ms('readMs'), runMs: ms('runMs'), writeMs: ms('writeMs') },
    ...{ bytesRead: bytes('bytesRead'), bytesWritten: bytes('bytesWritten') },
    ...(fields.s3Gets !== undefined && { gets: bytes('s3Gets') + bytes('expressGets') }),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
function report(text: string): Parsed {
  if (/\tStatus: (error|timeout)/.test(text)) return OTHER;
  const fields = {
    durationMs: figure(text, /\tDuration: (\S+) ms/),
    memorySizeMB: figure(text, /\tMemory Size: (\S+) MB/),
    initDurationMs: figure(text, /\tInit Duration: (\S+) ms/),
  };
  return { kind: 'report', report: reportOf(fields) };
}

function figure(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text);
  return found === null ? undefined : Number(found[1]);
}

/** Lambda's logs in JSON: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report */
function isReportEvent({ type, record }: LogFields): boolean {
  return type === 'platform.report' && typeof record === 'object' && record !== null;
}

function reportEvent(fields: LogFields): Parsed {
  const { metrics, status } = fields.record as { readonly metrics?: unknown; readonly status?: unknown };
  if (status !== 'success') return OTHER;
  if (typeof metrics !== 'object' || metrics === null) throw new BadField('metrics are missing');
  return { kind: 'report', report: reportOf(metrics as Record<string, unknown>) };
}

function reportOf(fields: LogFields): ReportSample {
  const durationMs = numberIn(fields, 'durationMs', 0, MAX_CALL_MS);
  const memoryMb = whole(fields, 'memorySizeMB', 1, MAX_MEMORY_MB);
  if (fields.initDurationMs === undefined) return { durationMs, memoryMb };
  return { durationMs, memoryMb, initMs: numberIn(fields, 'initDurationMs', 0, MAX_CALL_MS) };
}
