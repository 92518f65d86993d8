/** Adds up what calls took, by slice. */
import type { BatchUsage } from '../../contract/batch';

/** The whole model comes after all slices. */
const WHOLE_AT = Infinity;

export class Usage {
  private readonly sums = new Map<number, { calls: number; mbMs: number }>();

  add({ slice = WHOLE_AT, calls, mbMs }: BatchUsage): void {
    const sum = this.sums.get(slice) ?? { calls: 0, mbMs: 0 };
    this.sums.set(slice, { calls: sum.calls + calls, mbMs: sum.mbMs + mbMs });
  }

  list(): BatchUsage[] {
    return [...this.sums]
      .sort(([a], [b]) => a - b)
      .map(([slice, used]) => ({ ...(slice === WHOLE_AT ? { whole: true } : { slice }), ...used }));
  }
}
