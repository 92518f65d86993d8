/** Collects the calls of several files of logs, each with its report. */
import type { BilledCall, BilledReport } from '../../lib/cost/billing/billed-call';
import { MAX_RECORDS } from '../calibrate/limits';
import { messagesOf } from '../calibrate/log-messages';
import { parseLine } from './parse-line';

export interface CollectedCalls {
  readonly calls: readonly BilledCall[];
  /** Reports of calls without a line of a slice function. */
  readonly others: readonly BilledReport[];
  readonly skipped: number;
  readonly refused: number;
  /** Why the first line was refused. */
  readonly reason?: string;
  /** Lines beyond the limit. */
  readonly beyond: number;
}

/**
 * A call is counted once, even if two files have its line.
 *
 * @param contents of the files
 */
export function collectCalls(contents: readonly string[]): CollectedCalls {
  const calls = new Map<string, BilledCall>();
  const reports = new Map<string, BilledReport>();
  const found = { skipped: 0, refused: 0, beyond: 0 };
  let reason: string | undefined;
  for (const { text } of contents.flatMap(messagesOf)) {
    if (calls.size + reports.size >= MAX_RECORDS) {
      found.beyond++;
      continue;
    }
    const line = parseLine(text);
    switch (line.kind) {
      case 'call':
        // A test that calls the handler itself has no request.
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
  const others = [...reports].filter(([id]) => !calls.has(id)).map(([, report]) => report);
  const withReports = [...calls].map(([id, call]) => {
    const report = reports.get(id);
    return report === undefined ? call : { ...call, report };
  });
  return { calls: withReports, others, ...found, ...(reason !== undefined && { reason }) };
}
