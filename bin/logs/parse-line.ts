/**
 * Reads one message of a log: a line of a slice function about a call, or a `REPORT` of Lambda. Logs come from outside, so every
 * field may be missing, of another kind or impossible.
 */
import type { LoggedCall, LoggedReport } from '../../lib/cost/bill';
import { CALL_MESSAGES, REPORT_START, REPORT_TYPE, isCallMessage } from './call-messages';

/** Longest call of Lambda, in milliseconds: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_CALL_MS = 900_000;

/** Most bytes of a slice's files, of `/tmp` and of tensors, and most memory in MB: 10 GiB. */
const MAX_BYTES = 10 * 2 ** 30;
const MAX_MEMORY_MB = 10_240;

/** Most requests to S3 of one call: 10 GiB in ranges of a few MiB are some thousands. */
const MAX_REQUESTS = 1_000_000;

const MAX_SLICE = 10_000;

/** Lambda exists since November 2014; a year 2100 is a broken clock. */
const STARTS = [Date.UTC(2014, 10, 1), Date.UTC(2100, 0, 1)] as const;

/** Longest run, id of a request or ARN that is kept. */
const MAX_NAME_CHARACTERS = 1024;

export type ParsedLine =
  /** `requestId` is absent in the line of a test that calls the handler itself. */
  | { readonly kind: 'call'; readonly requestId: string | undefined; readonly call: LoggedCall }
  | { readonly kind: 'report'; readonly requestId: string; readonly report: LoggedReport }
  | { readonly kind: 'other' }
  /** Such a line, but with a field that no call can have. */
  | { readonly kind: 'refused'; readonly reason: string };

const OTHER: ParsedLine = { kind: 'other' };

export function parseLine(text: string): ParsedLine {
  try {
    return text.startsWith(REPORT_START) ? textReport(text) : json(text);
  } catch (error) {
    if (error instanceof BadField) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

function json(text: string): ParsedLine {
  const fields = parsedFields(text);
  if (fields === undefined) return OTHER;
  if (fields.type === REPORT_TYPE) return jsonReport(fields.record);
  const { message } = fields;
  if (!isCallMessage(message)) return OTHER;
  return { kind: 'call', requestId: name(fields, 'requestId'), call: callOf(CALL_MESSAGES[message], fields) };
}

function callOf(kind: LoggedCall['kind'], fields: Fields): LoggedCall {
  const ms = (field: string): number =>
    fields[field] === undefined ? 0 : numberIn(fields, field, 0, MAX_CALL_MS);
  const bytes = (field: string): number => whole(fields, field, 0, MAX_BYTES, 0);
  const requests = (field: string): number => whole(fields, field, 0, MAX_REQUESTS, 0);
  const run = name(fields, 'run');
  const executionArn = name(fields, 'executionArn');
  return {
    kind,
    ...(run !== undefined && { run }),
    ...(executionArn !== undefined && { executionArn }),
    slice: fields.whole === true ? 'whole' : whole(fields, 'slice', -1, MAX_SLICE),
    ...(fields.startedAt !== undefined && {
      startedAt: numberIn(fields, 'startedAt', ...STARTS),
    }),
    ...{ warmedUp: flag(fields, 'warmedUp'), weightBytes: bytes('weightBytes') },
    ...{ loadMs: ms('loadMs'), runMs: ms('runMs') },
    ...{ bytesRead: bytes('bytesRead'), bytesWritten: bytes('bytesWritten') },
    ...{ s3Gets: requests('s3Gets'), s3Puts: requests('s3Puts') },
    ...{ expressGets: requests('expressGets'), expressPuts: requests('expressPuts') },
  };
}

function textReport(text: string): ParsedLine {
  const figure = (title: string): number | undefined => {
    const found = new RegExp(`\t${title}: (\\S+)`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const metrics = {
    billedDurationMs: figure('Billed Duration'),
    memorySizeMB: figure('Memory Size'),
    initDurationMs: figure('Init Duration'),
  };
  const requestId = /^ (\S+)/.exec(text.slice(REPORT_START.length))?.[1];
  return reportOf({ requestId }, metrics);
}

function jsonReport(record: unknown): ParsedLine {
  if (!isFields(record) || !isFields(record.metrics)) throw new BadField('a report has no metrics');
  return reportOf(record, record.metrics);
}

function reportOf(record: Fields, metrics: Fields): ParsedLine {
  const requestId = name(record, 'requestId');
  if (requestId === undefined) throw new BadField('requestId is missing');
  const report = {
    billedMs: numberIn(metrics, 'billedDurationMs', 0, 2 * MAX_CALL_MS),
    memoryMb: whole(metrics, 'memorySizeMB', 1, MAX_MEMORY_MB),
    ...(metrics.initDurationMs !== undefined && {
      initMs: numberIn(metrics, 'initDurationMs', 0, MAX_CALL_MS),
    }),
  };
  return { kind: 'report', requestId, report };
}

type Fields = Readonly<Record<string, unknown>>;

class BadField extends Error {}

function numberIn(fields: Fields, field: string, least: number, most: number): number {
  const value = fields[field];
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new BadField(`${field} is not a number from ${least} to ${most}`);
}

/** @param missing the value of a field that is not there; without it, such a field is refused */
function whole(fields: Fields, field: string, least: number, most: number, missing?: number): number {
  if (fields[field] === undefined && missing !== undefined) return missing;
  const value = numberIn(fields, field, least, most);
  if (Number.isInteger(value)) return value;
  throw new BadField(`${field} is not a whole number`);
}

function flag(fields: Fields, field: string): boolean {
  const value = fields[field] ?? false;
  if (typeof value === 'boolean') return value;
  throw new BadField(`${field} is not true or false`);
}

function name(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined || (typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS)) return value;
  throw new BadField(`${field} is not a name`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/** `undefined` for a text that is no object of JSON: a function may log text that begins like JSON. */
function parsedFields(text: string): Fields | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return undefined;
  }
}
