/** Reads the calls in logs, which may come from a stranger. */
import type { SliceTiming } from '../../contract/execution';
import { isRecord } from '../../lambda/json-values';
import type { RequestCounts } from '../../lambda/telemetry/telemetry';
import { readText } from '../../lib/host/read-text';
import * as read from '../../lib/json-readers';
import { MAX_LAMBDA_MEMORY_MB, MOST_SLICES } from '../../lib/plan/sizes/lambda-quotas';

/** What a line `slice ran` tells of times, beside other fields. */
export interface LoggedCall extends RequestCounts, Omit<SliceTiming, 'whole' | 'peakMemoryBytes'> {
  readonly run: string;
  readonly requestId: string;
  /** The init phase, which Lambda reports, if it started a sandbox for the call. */
  readonly initMs?: number | undefined;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MS = read.numberFrom(0, 900_000);
/** Of a function's memory and `/tmp`: 10 GiB. */
const BYTES = read.wholeNumber(0, 10 * 2 ** 30);
const COUNT = read.wholeNumber(0, 1_000_000);
const NAME = read.text(1024);

const FIELDS: read.Fields<LoggedCall> = {
  ...{ run: NAME, requestId: NAME, processor: read.optional(NAME), initMs: read.optional(MS) },
  slice: read.wholeNumber(0, MOST_SLICES),
  // Lambda exists since November 2014.
  startedAt: read.numberFrom(Date.UTC(2014, 10), Date.UTC(2100, 0)),
  ...{ cold: read.trueOrFalse, warmedUp: read.trueOrFalse },
  ...{ weightBytes: BYTES, bytesRead: BYTES, bytesWritten: BYTES },
  ...{ loadMs: MS, readMs: MS, runMs: MS, writeMs: MS },
  ...{ s3Gets: COUNT, s3Puts: COUNT, expressGets: COUNT, expressPuts: COUNT },
  memoryMb: read.wholeNumber(1, MAX_LAMBDA_MEMORY_MB),
};
const readCall = read.anObject(FIELDS);

/** Of a file; it has some 200,000 calls, enough for each percentile. */
const MOST_BYTES = 200e6;
/** An event of CloudWatch has at most 1 MiB, and JSON escapes its quotes. */
const LONGEST_LINE = 4 * 2 ** 20;
const MOST_CALLS = 200_000;
const ADVICE = 'remove the line; if it has many events, print the logs again with `--output json`';

/**
 * A request counts once, even if two files have its lines.
 *
 * @throws SlicedInferenceError for a line with values that no call can have
 */
export function readLogs(files: readonly string[]): LoggedCall[] {
  const calls = new Map<string, LoggedCall>();
  const inits = new Map<string, number>();
  for (const file of files) {
    const lines = readText(file, 'log', MOST_BYTES, 'pass its files').split('\n');
    for (const [index, line] of lines.entries()) {
      const place = read.Place.root(file, { kind: `line ${index + 1} of log`, advice: ADVICE });
      if (line.length > LONGEST_LINE) throw place.faultOf('be short', `${line.length} characters`);
      const [, id, initMs] = /REPORT RequestId: ([\w-]+)\W.*Init Duration: (\S+) ms/.exec(line) ?? [];
      if (id) inits.set(id, MS(Number(initMs), place.field('Init Duration')));
      if (!/"message\\?": ?\\?"slice ran\\?"/.test(line)) continue;
      const call = readCall(fieldsOf(line, place), place);
      if (calls.size < MOST_CALLS) calls.set(call.requestId, call);
    }
  }
  return [...calls].map(([id, call]) => ({ ...call, initMs: inits.get(id) }));
}

/** The AWS CLI writes the message of an event as a line `"message": "…"`. */
function fieldsOf(line: string, place: read.Place): unknown {
  const json = (text: string) => read.jsonOf(text, place, 'be a whole line of JSON', ADVICE);
  const event = /^\s*"message": (".*"),?\s*$/.exec(line)?.[1];
  const message = event === undefined ? line : String(json(event));
  const value = json(message.slice(message.indexOf('{')));
  return isRecord(value) ? Object.fromEntries(Object.keys(FIELDS).map((name) => [name, value[name]])) : value;
}

/** When a Standard execution started, in milliseconds since the Unix epoch: the third name in its run. */
export function startOf({ run }: LoggedCall): number | undefined {
  const start = /^[^/]+\/[^/]+\/(\d{13})$/.exec(run)?.[1];
  return start === undefined ? undefined : Number(start);
}
