/** Reads one message of a log: a line of a slice function about a call, or a `REPORT` of Lambda. */
import type { BilledCall, BilledReport } from '../../lib/cost/billing/billed-call';
import {
  BadField,
  figureIn,
  isFields,
  name,
  numberIn,
  parsedFields,
  reportedRequest,
  requiredName,
  whole,
  type LogFields,
} from '../calibrate/log-fields';
import {
  FIRST_START,
  LAST_START,
  MAX_BYTES,
  MAX_CALL_MS,
  MAX_MEMORY_MB,
  MAX_SLICE,
} from '../calibrate/limits';
import { CALL_MESSAGES, REPORT_START, REPORT_TYPE, isCallMessage } from '../calibrate/message-kinds';

export type ParsedLine =
  | { readonly kind: 'call'; readonly requestId: string | undefined; readonly call: BilledCall }
  | { readonly kind: 'report'; readonly requestId: string; readonly report: BilledReport }
  | { readonly kind: 'other' }
  /** Such a line, but with a field that no call can have. */
  | { readonly kind: 'refused'; readonly reason: string };

const OTHER: ParsedLine = { kind: 'other' };

/** Most requests to S3 of one call: 10 GiB in ranges of a few MiB are some thousands. */
const MAX_REQUESTS = 1_000_000;

export function parseLine(text: string): ParsedLine {
  try {
    return text.startsWith(REPORT_START) ? report(text) : json(text);
  } catch (error) {
    if (error instanceof BadField) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

function json(text: string): ParsedLine {
  const fields = parsedFields(text);
  if (fields === undefined) return OTHER;
  if (fields.type === REPORT_TYPE) return reportEvent(fields.record);
  const { message } = fields;
  if (!isCallMessage(message)) return OTHER;
  return { kind: 'call', requestId: name(fields, 'requestId'), call: callOf(CALL_MESSAGES[message], fields) };
}

function callOf(kind: BilledCall['kind'], fields: LogFields): BilledCall {
  const ms = (field: string): number => optional(fields, field, MAX_CALL_MS);
  const bytes = (field: string): number => optional(fields, field, MAX_BYTES);
  const requests = (field: string): number => optional(fields, field, MAX_REQUESTS);
  const run = name(fields, 'run');
  const executionArn = name(fields, 'executionArn');
  return {
    kind,
    ...(run !== undefined && { run }),
    ...(executionArn !== undefined && { executionArn }),
    slice: fields.whole === true ? 'whole' : whole(fields, 'slice', -1, MAX_SLICE),
    ...(fields.startedAt !== undefined && {
      startedAt: numberIn(fields, 'startedAt', FIRST_START, LAST_START),
    }),
    runMs: ms('runMs'),
    // The warm-up's own line has the load.
    loadMs: fields.warmedUp === true ? 0 : ms('loadMs'),
    ...{
      weightBytes: bytes('weightBytes'),
      bytesRead: bytes('bytesRead'),
      bytesWritten: bytes('bytesWritten'),
    },
    ...{ s3Gets: requests('s3Gets'), s3Puts: requests('s3Puts') },
    ...{ expressGets: requests('expressGets'), expressPuts: requests('expressPuts') },
  };
}

function report(text: string): ParsedLine {
  const fields = {
    billedDurationMs: figureIn(text, /\tBilled Duration: (\S+) ms/),
    memorySizeMB: figureIn(text, /\tMemory Size: (\S+) MB/),
    initDurationMs: figureIn(text, /\tInit Duration: (\S+) ms/),
  };
  return { kind: 'report', requestId: reportedRequest(text), report: reportOf(fields) };
}

function reportEvent(record: unknown): ParsedLine {
  if (!isFields(record)) throw new BadField('a report has no record');
  const { metrics } = record;
  if (!isFields(metrics)) throw new BadField('a report has no metrics');
  return { kind: 'report', requestId: requiredName(record, 'requestId'), report: reportOf(metrics) };
}

function reportOf(fields: LogFields): BilledReport {
  const billedMs = numberIn(fields, 'billedDurationMs', 0, 2 * MAX_CALL_MS);
  const memoryMb = whole(fields, 'memorySizeMB', 1, MAX_MEMORY_MB);
  if (fields.initDurationMs === undefined) return { billedMs, memoryMb };
  return { billedMs, memoryMb, initMs: numberIn(fields, 'initDurationMs', 0, MAX_CALL_MS) };
}

function optional(fields: LogFields, field: string, most: number): number {
  return fields[field] === undefined ? 0 : numberIn(fields, field, 0, most);
}
