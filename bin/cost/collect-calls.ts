/** Collects the calls of several files of logs, each with its report. */
import type { BilledCall, BilledReport } from '../../lib/cost/billing/billed-call';
import { MAX_RECORDS } from '../calibrate/limits';
import { isHistory } from '../calibrate/history';
import { messagesOf } from '../calibrate/log-messages';
import { LoggedRequests } from '../calibrate/logged-requests';
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
  /** Files with the history of an execution. They do not name it, so their states cannot be added to a run. */
  readonly histories: number;
}

/**
 * A call is counted once, even if two files have its line.
 *
 * @param contents of the files
 */
export function collectCalls(contents: readonly string[]): CollectedCalls {
  const requests = new LoggedRequests<BilledCall, BilledReport>();
  const found = { skipped: 0, refused: 0, beyond: 0 };
  let reason: string | undefined;
  const logs = contents.filter((content) => !isHistory(content));
  for (const text of logs.flatMap(messagesOf)) {
    if (requests.size >= MAX_RECORDS) {
      found.beyond++;
      continue;
    }
    const line = parseLine(text);
    switch (line.kind) {
      case 'call':
        requests.addLine(line.requestId, line.call);
        break;
      case 'report':
        requests.addReport(line.requestId, line.report);
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
    calls: requests.lines().map(({ line, report }) => (report === undefined ? line : { ...line, report })),
    others: requests.reportsWithoutLine(),
    ...found,
    ...(reason !== undefined && { reason }),
    histories: contents.length - logs.length,
  };
}
