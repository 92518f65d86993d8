/** Reads one message of a log: a call or a warm-up of a slice function, or a `REPORT` of Lambda. */
import type { CallSample, ReportSample, WarmUpSample } from '../../lib/cost/calibration/samples';
import {
  BadField,
  figureIn,
  flag,
  isFields,
  name,
  numberIn,
  parsedFields,
  reportedRequest,
  requiredName,
  whole,
  type LogFields,
} from './log-fields';
import { FIRST_START, LAST_START, MAX_BYTES, MAX_CALL_MS, MAX_MEMORY_MB, MAX_SLICE } from './limits';
import { REPORT_START, REPORT_TYPE, type CallMessage } from './message-kinds';

export type Parsed =
  | { readonly kind: 'call'; readonly requestId: string | undefined; readonly call: CallSample }
  | { readonly kind: 'warm-up'; readonly requestId: string | undefined; readonly warmUp: WarmUpSample }
  | { readonly kind: 'report'; readonly requestId: string; readonly report: ReportSample }
  /** Nothing that calibration uses. */
  | { readonly kind: 'other' }
  /** Such a message, but with a field that no call can have. */
  | { readonly kind: 'refused'; readonly reason: string };

const OTHER: Parsed = { kind: 'other' };

export function parseMessage(text: string): Parsed {
  try {
    return text.startsWith(REPORT_START) ? report(text) : telemetry(text);
  } catch (error) {
    if (error instanceof BadField) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

function telemetry(text: string): Parsed {
  const fields = parsedFields(text);
  if (fields === undefined) return OTHER;
  if (fields.type === REPORT_TYPE && isFields(fields.record)) return reportEvent(fields.record);
  switch (fields.message as CallMessage) {
    case 'slice ran':
      return { kind: 'call', requestId: name(fields, 'requestId'), call: callOf(fields) };
    case 'slice is warm': {
      const warmUp = { slice: whole(fields, 'slice', 0, MAX_SLICE), cold: flag(fields, 'cold') };
      return { kind: 'warm-up', requestId: name(fields, 'requestId'), warmUp };
    }
    default:
      return OTHER;
  }
}

function callOf(fields: LogFields): CallSample {
  const ms = (name: string): number => numberIn(fields, name, 0, MAX_CALL_MS);
  const bytes = (name: string): number => whole(fields, name, 0, MAX_BYTES);
  return {
    run: requiredName(fields, 'run'),
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

function report(text: string): Parsed {
  if (/\tStatus: (error|timeout)/.test(text)) return OTHER;
  const fields = {
    durationMs: figureIn(text, /\tDuration: (\S+) ms/),
    memorySizeMB: figureIn(text, /\tMemory Size: (\S+) MB/),
    initDurationMs: figureIn(text, /\tInit Duration: (\S+) ms/),
  };
  return { kind: 'report', requestId: reportedRequest(text), report: reportOf(fields) };
}

function reportEvent(record: LogFields): Parsed {
  const { metrics, status } = record;
  if (status !== 'success') return OTHER;
  if (!isFields(metrics)) throw new BadField('a report has no metrics');
  return { kind: 'report', requestId: requiredName(record, 'requestId'), report: reportOf(metrics) };
}

function reportOf(fields: LogFields): ReportSample {
  const durationMs = numberIn(fields, 'durationMs', 0, MAX_CALL_MS);
  const memoryMb = whole(fields, 'memorySizeMB', 1, MAX_MEMORY_MB);
  if (fields.initDurationMs === undefined) return { durationMs, memoryMb };
  return { durationMs, memoryMb, initMs: numberIn(fields, 'initDurationMs', 0, MAX_CALL_MS) };
}
