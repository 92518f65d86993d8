/** Collects what several files of logs say of calls, each with Lambda's report of the same request. */
import type { LoggedCall, LoggedReport } from '../../lib/cost/bill';
import { printable } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';
import { messagesOf } from './log-messages';
import { parseLine } from './parse-line';

/** Largest file of logs. A call has about 600 bytes in a log, so this holds some 400,000 calls. */
const MAX_LOG_BYTES = 256 * 2 ** 20;

export interface CollectedLogs {
  readonly calls: readonly LoggedCall[];
  /** Reports of calls without a line of a slice function. */
  readonly others: readonly LoggedReport[];
  /** Lines that are not about calls. */
  readonly skipped: number;
  readonly refused: number;
  /** Why the first line was refused. */
  readonly reason?: string;
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
  const found = { skipped: 0, refused: 0 };
  let reason: string | undefined;
  for (const text of contents.flatMap(messagesOf)) {
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
    others: [...reports].filter(([id]) => !calls.has(id)).map(([, report]) => report),
    ...found,
    ...(reason !== undefined && { reason }),
  };
}

/** How many lines are of no use, and why. */
export function unreadLines({ skipped, refused, reason }: CollectedLogs): string {
  const because = reason === undefined ? '' : ` (${printable(reason)})`;
  return `${skipped} other lines, ${refused} lines refused${because}`;
}
