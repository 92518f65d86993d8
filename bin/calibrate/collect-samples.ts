/** Collects the samples of several files, and pairs each call with its report. */
import type { CallSample, ReportSample, Samples, WarmUpSample } from '../../lib/cost/calibration/samples';
import { historyTransitions } from './history';
import { MAX_RECORDS } from './limits';
import type { LogMessage } from './log-messages';
import { messagesOf } from './log-messages';
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

/** @param contents of the files */
export function collectSamples(contents: readonly string[]): Collected {
  const collector = new Collector();
  for (const content of contents) {
    collector.startFile();
    const transitions = historyTransitions(content);
    if (transitions === undefined) for (const message of messagesOf(content)) collector.add(message);
    else collector.transitions.push(...transitions.slice(0, MAX_RECORDS - collector.transitions.length));
  }
  return collector.collected();
}

class Collector {
  readonly transitions: number[] = [];
  private readonly calls: CallSample[] = [];
  private readonly warmUps: WarmUpSample[] = [];
  private readonly reports: ReportSample[] = [];
  /** By stream: where the message is that waits for its report. */
  private waiting = new Map<string, { readonly list: 'calls' | 'warmUps'; readonly index: number }>();
  private skipped = 0;
  private refused = 0;
  private reason: string | undefined;

  /** Streams of one file are not those of another. */
  startFile(): void {
    this.waiting = new Map();
  }

  add({ stream, text }: LogMessage): void {
    const parsed = parseMessage(text);
    if (this.calls.length + this.warmUps.length + this.reports.length >= MAX_RECORDS) {
      this.skipped++;
      return;
    }
    switch (parsed.kind) {
      case 'call':
        this.waiting.set(stream, { list: 'calls', index: this.calls.push(parsed.call) - 1 });
        break;
      case 'warm-up':
        this.waiting.set(stream, { list: 'warmUps', index: this.warmUps.push(parsed.warmUp) - 1 });
        break;
      case 'report':
        this.reports.push(parsed.report);
        this.pair(stream, parsed.report);
        break;
      case 'other':
        this.skipped++;
        break;
      case 'refused':
        this.refused++;
        this.reason ??= parsed.reason;
        // Its report would belong to another call.
        this.waiting.delete(stream);
    }
  }

  collected(): Collected {
    const { calls, warmUps, reports, transitions, skipped, refused, reason } = this;
    return {
      samples: { calls, warmUps, reports, transitions },
      ...{ skipped, refused },
      ...(reason !== undefined && { reason }),
    };
  }

  private pair(stream: string, report: ReportSample): void {
    const found = this.waiting.get(stream);
    this.waiting.delete(stream);
    if (found?.list === 'calls') this.calls[found.index] = { ...this.calls[found.index], report };
    if (found?.list === 'warmUps') this.warmUps[found.index] = { ...this.warmUps[found.index], report };
  }
}
