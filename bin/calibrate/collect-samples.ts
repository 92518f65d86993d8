/** Collects the samples of several files, and pairs each call with its report. */
import type { CallSample, ReportSample, Samples, WarmUpSample } from '../../lib/cost/calibration/samples';
import { historyTransitions } from './history';
import { MAX_RECORDS } from './limits';
import { messagesOf } from './log-messages';
import { LoggedRequests } from './logged-requests';
import { parseMessage } from './parse-message';

export interface Collected {
  readonly samples: Samples;
  /** Messages that calibration does not use, such as those of other functions. */
  readonly skipped: number;
  /** Messages of slice functions with impossible fields. */
  readonly refused: number;
  /** Why the first message was refused. */
  readonly reason?: string;
}

type Line =
  | { readonly kind: 'call'; readonly call: CallSample }
  | { readonly kind: 'warm-up'; readonly warmUp: WarmUpSample };

/**
 * A request counts once, even if two files have its messages.
 *
 * @param contents of the files
 */
export function collectSamples(contents: readonly string[]): Collected {
  const requests = new LoggedRequests<Line, ReportSample>();
  const transitions: number[] = [];
  const found = { skipped: 0, refused: 0 };
  let reason: string | undefined;
  const logs = contents.filter((content) => {
    const own = historyTransitions(content);
    transitions.push(...(own ?? []).slice(0, MAX_RECORDS - transitions.length));
    return own === undefined;
  });
  for (const text of logs.flatMap(messagesOf)) {
    const parsed = parseMessage(text);
    if (parsed.kind === 'other' || requests.size >= MAX_RECORDS) found.skipped++;
    else if (parsed.kind === 'report') requests.addReport(parsed.requestId, parsed.report);
    else if (parsed.kind !== 'refused') requests.addLine(parsed.requestId, parsed);
    else {
      found.refused++;
      reason ??= parsed.reason;
    }
  }
  const samples = { ...pairedSamples(requests), transitions };
  return { samples, ...found, ...(reason !== undefined && { reason }) };
}

function pairedSamples(requests: LoggedRequests<Line, ReportSample>): Omit<Samples, 'transitions'> {
  const calls: CallSample[] = [];
  const warmUps: WarmUpSample[] = [];
  for (const { line, report } of requests.lines()) {
    const own = report === undefined ? {} : { report };
    if (line.kind === 'call') calls.push({ ...line.call, ...own });
    else warmUps.push({ ...line.warmUp, ...own });
  }
  return { calls, warmUps, reports: requests.reports() };
}
