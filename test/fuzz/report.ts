/** Counts the outcomes of cases and prints failures, extremes and a summary. */
import type { FuzzCase } from './cases';
import { OUTCOMES } from './fuzz-process';
import type { Verdict } from './watch';

/** Number of lines to show of a failure: the error and the first frames of its stack. */
const FAILURE_LINES = 6;

interface Extreme {
  readonly value: number;
  readonly run: number;
  readonly title: string;
}

export class Report {
  failed = 0;
  private runs = 0;
  private readonly start = performance.now();
  private readonly counts = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));
  private slowest: Extreme = { value: 0, run: 0, title: '' };
  private largest: Extreme = { value: 0, run: 0, title: '' };

  /** @param flags the arguments that repeat a run, without the number of the run */
  constructor(
    private readonly seed: number,
    private readonly flags: string,
  ) {}

  /** Counts a verdict; returns the text to print for a failure. */
  add(run: number, { title }: FuzzCase, verdict: Verdict): string | undefined {
    this.runs++;
    if ('failure' in verdict) {
      this.failed++;
      const lines = verdict.failure.split('\n').slice(0, FAILURE_LINES).join('\n  ');
      return `run ${run} failed (${title}): ${lines}\n  npm run fuzz -- ${this.flags} --run ${run}\n`;
    }
    this.counts.set(verdict.outcome, (this.counts.get(verdict.outcome) ?? 0) + 1);
    if (verdict.ownMs > this.slowest.value) this.slowest = { value: verdict.ownMs, run, title };
    if (verdict.peakMb > this.largest.value) this.largest = { value: verdict.peakMb, run, title };
    return undefined;
  }

  summary(): string {
    const seconds = Math.round((performance.now() - this.start) / 1000);
    const describe = ({ run, title }: Extreme): string => `run ${run} (${title})`;
    return [
      `${this.runs} runs with seed ${this.seed} in ${seconds} s: ${this.failed} failed`,
      ...[...this.counts].map(([outcome, count]) => `  ${outcome.padEnd(28)}${count}`),
      `  longest, without ONNX Runtime: ${Math.round(this.slowest.value)} ms, ${describe(this.slowest)}`,
      `  most memory: ${Math.round(this.largest.value)} MB, ${describe(this.largest)}`,
      '',
    ].join('\n');
  }
}
