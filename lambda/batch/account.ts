/** Adds up what became of the items of a batch. */
import {
  MAX_FAILURE_CAUSES,
  type BatchFailureCount,
  type BatchOutput,
  type BatchRow,
  type BatchUsage,
} from '../../contract/batch';
import type { ChildResult } from '../../contract/batch-function';

/** Different causes that are told apart. More would take memory, and help nobody. */
const MAX_COUNTED_CAUSES = 1000;

/** The whole model comes after all slices. */
const WHOLE_AT = Infinity;

export class Account {
  readonly items = { total: 0, done: 0, skipped: 0, failed: 0, pending: 0 };
  private milliseconds = 0;
  private runs = 0;
  private readonly causes = new Map<string, BatchFailureCount>();
  private readonly usage = new Map<number, { calls: number; mbMs: number }>();

  addRow({ status, failure, item }: BatchRow): void {
    this.items.total++;
    this.items[status]++;
    if (failure === undefined) return;
    // Messages about the same fault differ in names and numbers.
    const cause = `${failure.error} ${failure.message.replaceAll(/'[^']*'|\d+/g, '#')}`;
    const known = this.causes.get(cause);
    if (known !== undefined || this.causes.size < MAX_COUNTED_CAUSES)
      this.causes.set(cause, { item, ...failure, ...known, count: (known?.count ?? 0) + 1 });
  }

  addResult({ ms = 0, calls }: ChildResult): void {
    if (calls === undefined) return;
    this.milliseconds += ms;
    // A run whose answers of a function are in several objects has its calls in the first one.
    if (calls.length > 0) this.runs++;
    for (const { slice = WHOLE_AT, mbMs } of calls) {
      const sum = this.usage.get(slice) ?? { calls: 0, mbMs: 0 };
      this.usage.set(slice, { calls: sum.calls + 1, mbMs: sum.mbMs + mbMs });
    }
  }

  output(): Pick<BatchOutput, 'items' | 'failures' | 'milliseconds' | 'runs' | 'usage'> {
    const { items, milliseconds, runs } = this;
    return { items, failures: this.failures(), milliseconds, runs, usage: this.usages() };
  }

  /** The most frequent first. */
  failures(): BatchFailureCount[] {
    return [...this.causes.values()].sort((a, b) => b.count - a.count).slice(0, MAX_FAILURE_CAUSES);
  }

  private usages(): BatchUsage[] {
    return [...this.usage]
      .sort(([a], [b]) => a - b)
      .map(([slice, used]) => ({ ...(slice === WHOLE_AT ? { whole: true } : { slice }), ...used }));
  }
}
