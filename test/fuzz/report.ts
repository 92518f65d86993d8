/** Counts the outcomes of cases and prints failures, extremes and a summary. */
import { OUTCOMES } from './fuzz-case';
import type { Verdict } from './watch';

/** Number of lines to show of a failure: the error and the first frames of its stack. */
const FAILURE_LINES = 6;

export class Report {
  failed = 0;
  private runs = 0;
  private readonly start = performance.now();
  private readonly counts = new Map<string, number>(OUTCOMES.map((outcome) => [outcome, 0]));
  private longest = { ms: 0, run: '' };
  private largest = { mb: 0, run: '' };

  /** @param flags the arguments that repeat a run, without the number of the run */
  constructor(
    private readonly seed: number,
    private readonly flags: string,
  ) {}

  /** Counts a verdict; returns the text to print for a failure. */
  add(number: number, title: string, verdict: Verdict): string | undefined {
    this.runs++;
    if ('failure' in verdict) {
      this.failed++;
      const lines = verdict.failure.split('\n').slice(0, FAILURE_LINES).join('\n  ');
      return `run ${number} failed (${title}): ${lines}\n  npm run fuzz -- ${this.flags} --run ${number}\n`;
    }
    const { outcome, ms, peakMb: mb } = verdict;
    const run = `run ${number} (${title})`;
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
    if (ms > this.longest.ms) this.longest = { ms, run };
    if (mb > this.largest.mb) this.largest = { mb, run };
    return undefined;
  }

  summary(): string {
    const seconds = Math.round((performance.now() - this.start) / 1000);
    return [
      `${this.runs} runs with seed ${this.seed} in ${seconds} s: ${this.failed} failed`,
      ...[...this.counts].map(([outcome, count]) => `  ${outcome.padEnd(28)}${count}`),
      `  longest: ${Math.round(this.longest.ms)} ms, ${this.longest.run}`,
      `  most memory: ${Math.round(this.largest.mb)} MB, ${this.largest.run}`,
      '',
    ].join('\n');
  }
}
