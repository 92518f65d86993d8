/** Collects what several files of logs say of calls, each with Lambda's report of the same request. */
import type { LoggedCall, LoggedReport } from '../../lib/cost/bill';
import { printable } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';
import { historyTransitions } from './history';
import { messagesOf } from './log-messages';
import { parseLine } from './parse-line';

/** Largest file of logs. A call has about 600 bytes in a log, so this holds some 400,000 calls. */
const MAX_LOG_BYTES = 256 * 2 ** 20;

/** Calls and reports that are used; more would not make an estimate better. */
const MAX_RECORDS = 200_000;

export interface CollectedLogs {
  readonly calls: readonly LoggedCall[];
  /** All reports, whether or not the request has a line. */
  readonly reports: readonly LoggedReport[];
  /** Reports of calls without a line of a slice function. */
  readonly others: readonly LoggedReport[];
  /** From the end of a task to the start of the next one, in milliseconds, of the histories of executions. */
  readonly transitions: readonly number[];
  /** Files with the history of an execution. They do not name it, so their states cannot be added to a run. */
  readonly histories: number;
  /** Lines that are not about calls. */
  readonly skipped: number;
  readonly refused: number;
  /** Why the first line was refused. */
  readonly reason?: string;
  /** Lines beyond the limit. */
  readonly beyond: number;
}

/** @throws SlicedInferenceError of one line if a file cannot be read or is too large */
export function readLogs(files: readonly string[]): string[] {
  return files.map((file) => readText(file, 'log', MAX_LOG_BYTES, 'pass the path of a file with logs'));
}

/**
 * A request counts once, even if two files have its lines.
 *
 * @param contents of the files
 */
export function collectLogs(contents: readonly string[]): CollectedLogs {
  const calls = new Map<string, LoggedCall>();
  const reports = new Map<string, LoggedReport>();
  const transitions: number[] = [];
  const found = { skipped: 0, refused: 0, beyond: 0 };
  let reason: string | undefined;
  const logs = contents.filter((content) => {
    const own = historyTransitions(content);
    transitions.push(...(own ?? []).slice(0, MAX_RECORDS - transitions.length));
    return own === undefined;
  });
  for (const text of logs.flatMap(messagesOf)) {
    if (calls.size + reports.size >= MAX_RECORDS) {
      found.beyond++;
      continue;
    }
    const line = parseLine(text);
    switch (line.kind) {
      case 'call':
        calls.set(line.requestId ?? `line ${calls.size}`, line.call);
        break;
      case 'report':
        reports.set(line.requestId, line.report);
        break;
      case 'other':
        found.skipped++;
        break;
      case 'refused':
        found.refused++;
        reason ??= line.reason;
    }
  }
  return {
    calls: [...calls].map(([id, call]) => {
      const report = reports.get(id);
      return report === undefined ? call : { ...call, report };
    }),
    reports: [...reports.values()],
    others: [...reports].filter(([id]) => !calls.has(id)).map(([, report]) => report),
    transitions,
    histories: contents.length - logs.length,
    ...found,
    ...(reason !== undefined && { reason }),
  };
}

/** How many lines are of no use, and why. */
export function unreadLines({ skipped, refused, reason }: CollectedLogs): string {
  const because = reason === undefined ? '' : ` (${printable(reason)})`;
  return `${skipped} other lines, ${refused} lines refused${because}`;
}
