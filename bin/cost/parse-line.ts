/** Reads one message of a log: a line of a slice function about a call, or a `REPORT` of Lambda. */
import type { BilledCall, BilledReport } from '../../lib/cost/billing/billed-call';
import { BadField, numberIn, whole, type LogFields } from '../calibrate/log-fields';
import {
  FIRST_START,
  LAST_START,
  MAX_BYTES,
  MAX_CALL_MS,
  MAX_MEMORY_MB,
  MAX_SLICE,
} from '../calibrate/limits';

export type ParsedLine =
  | { readonly kind: 'call'; readonly requestId: string | undefined; readonly call: BilledCall }
  | { readonly kind: 'report'; readonly requestId: string; readonly report: BilledReport }
  | { readonly kind: 'other' }
  /** Such a line, but with a field that no call can have. */
  | { readonly kind: 'refused'; readonly reason: string };

const OTHER: ParsedLine = { kind: 'other' };

/** Longest run, id of a request or ARN that is kept. */
const MAX_NAME_CHARACTERS = 1024;

/** Most requests to S3 of one call: 10 GiB in ranges of a few MiB are some thousands. */
const MAX_REQUESTS = 1_000_000;

/** By the message of the line. */
const KINDS: Readonly<Record<string, BilledCall['kind']>> = {
  'slice ran': 'ran',
  'slice is warm': 'warm-up',
  'slice failed': 'failed',
  'warm-up failed': 'failed',
  'whole model ran': 'ran',
  'whole model is cold': 'warm-up',
  'whole model is loaded': 'warm-up',
  'another sandbox loads the whole model': 'warm-up',
  'whole model failed': 'failed',
};

export function parseLine(text: string): ParsedLine {
  try {
    return text.startsWith('REPORT RequestId:') ? report(text) : json(text);
  } catch (error) {
    if (error instanceof BadField) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

function json(text: string): ParsedLine {
  if (!text.startsWith('{')) return OTHER;
  let fields: LogFields;
  try {
    fields = JSON.parse(text) as LogFields;
  } catch {
    // A function may log text that begins like JSON.
    return OTHER;
  }
  if (fields.type === 'platform.report') return reportEvent(fields.record);
  const { message } = fields;
  if (typeof message !== 'string' || !Object.hasOwn(KINDS, message)) return OTHER;
  return { kind: 'call', requestId: name(fields, 'requestId'), call: callOf(KINDS[message], fields) };
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

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
function report(text: string): ParsedLine {
  const figure = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(text);
    return found === null ? undefined : Number(found[1]);
  };
  const requestId = /^REPORT RequestId: (\S{1,1024})/.exec(text)?.[1];
  if (requestId === undefined) throw new BadField('a REPORT has no request');
  const fields = {
    billedDurationMs: figure(/\tBilled Duration: (\S+) ms/),
    memorySizeMB: figure(/\tMemory Size: (\S+) MB/),
    initDurationMs: figure(/\tInit Duration: (\S+) ms/),
  };
  return { kind: 'report', requestId, report: reportOf(fields) };
}

/** Lambda's logs in JSON: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report */
function reportEvent(record: unknown): ParsedLine {
  if (typeof record !== 'object' || record === null) throw new BadField('a report has no record');
  const { requestId, metrics } = record as LogFields;
  if (typeof requestId !== 'string' || requestId.length > MAX_NAME_CHARACTERS)
    throw new BadField('a report has no request');
  if (typeof metrics !== 'object' || metrics === null) throw new BadField('a report has no metrics');
  return { kind: 'report', requestId, report: reportOf(metrics as LogFields) };
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

function name(fields: LogFields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS) return value;
  throw new BadField(`${field} is not a name`);
}
