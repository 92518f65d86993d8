/** Lower bounds of what the rest of a plan adds to its totals, by the boundary at which the rest begins. */
import type { Steps } from './step-table';
import type { CostModel } from '../../cost/cost-model';

/** Each is the least of all rests on its own, so no rest is below any of them. */
export interface Rest {
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  /** The sum of `coldMs`, and of `loadMs` without warm-ups. */
  readonly coldMs: number;
  /** The largest load; 0 without warm-ups. */
  readonly loadMs: number;
  readonly movedBytes: number;
  readonly slices: number;
  /** Slices that write to S3, and slices that read from it. */
  readonly puts: number;
  readonly gets: number;
}

type Field = keyof Rest;

/** The fields that are sums of the steps of a rest. */
const SUMS = [
  'warmDollars',
  'coldDollars',
  'warmMs',
  'coldMs',
  'movedBytes',
  'slices',
  'puts',
  'gets',
] as const;

/** By field and `layer * count + boundary`. Layer `n` has exactly `n` slices left; without a fixed number, there is one layer. */
export class Bounds {
  private readonly least: Readonly<Record<Field, Float64Array>>;
  private readonly count: number;

  constructor(
    table: Steps,
    model: CostModel,
    private readonly slices?: number,
  ) {
    this.count = table.count;
    const layers = slices === undefined ? 1 : slices + 1;
    const empty = (): Float64Array => new Float64Array(layers * this.count).fill(Infinity);
    this.least = {
      warmDollars: empty(),
      coldDollars: empty(),
      warmMs: empty(),
      coldMs: empty(),
      loadMs: empty(),
      movedBytes: empty(),
      slices: empty(),
      puts: empty(),
      gets: empty(),
    };
    for (const field of [...SUMS, 'loadMs'] as const) this.least[field][this.count - 1] = 0;
    for (let from = this.count - 2; from >= 0; from--) {
      for (let to = from + 1; to < this.count; to++) this.relax(table, model, from, to, layers);
    }
  }

  /** @returns `undefined` if no rest fits */
  rest(boundary: number, slicesBefore: number): Rest | undefined {
    const at = (this.slices === undefined ? 0 : this.slices - slicesBefore) * this.count + boundary;
    if (!(this.least.slices[at] < Infinity)) return undefined;
    const { least } = this;
    return {
      warmDollars: least.warmDollars[at],
      coldDollars: least.coldDollars[at],
      warmMs: least.warmMs[at],
      coldMs: least.coldMs[at],
      // Slice 0 computes while the others load, so its own time may hide their loads.
      loadMs: slicesBefore === 0 ? 0 : least.loadMs[at],
      movedBytes: least.movedBytes[at],
      slices: least.slices[at],
      puts: least.puts[at],
      gets: least.gets[at],
    };
  }

  private relax(table: Steps, model: CostModel, from: number, to: number, layers: number): void {
    const steps = table.steps[from * this.count + to];
    if (steps.length === 0) return;
    const { readBytes, writeBytes } = table.size(from, to);
    const mayJoin = table.mayJoin(from, to);
    const added: Record<Field, number> = {
      warmDollars: leastOf(steps, (step) => step.warmDollars),
      coldDollars: leastOf(steps, (step) => step.coldDollars),
      warmMs: mayJoin ? 0 : leastOf(steps, (step) => step.warmMs),
      coldMs: mayJoin
        ? 0
        : leastOf(steps, ({ loadMs, coldMs }) => (model.warmsUp ? coldMs : loadMs + coldMs)),
      loadMs: model.warmsUp ? leastOf(steps, ({ loadMs }) => loadMs) : 0,
      movedBytes: readBytes + writeBytes,
      slices: 1,
      puts: mayJoin || steps[0].inState?.isAnswered ? 0 : 1,
      gets: mayJoin || steps[0].inState?.readsAll ? 0 : 1,
    };
    const { count, least } = this;
    for (let left = layers === 1 ? 0 : 1; left < layers; left++) {
      const at = left * count + from;
      const next = (layers === 1 ? 0 : left - 1) * count + to;
      for (const field of SUMS) {
        const sum = least[field][next] + added[field];
        if (sum < least[field][at]) least[field][at] = sum;
      }
      const load = Math.max(least.loadMs[next], added.loadMs);
      if (load < least.loadMs[at]) least.loadMs[at] = load;
    }
  }
}

function leastOf<T>(items: readonly T[], number: (item: T) => number): number {
  return items.reduce((least, item) => Math.min(least, number(item)), Infinity);
}
