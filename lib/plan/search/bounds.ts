/** Lower bounds of what the rest of a plan adds to its totals, by the boundary at which the rest begins. */
import type { StepTable } from './step-table';
import type { CostModel } from '../../cost/cost-model';

/** Each is the least of all rests on its own, so no rest is below any of them. */
export interface Rest {
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  readonly coldMs: number;
  readonly movedBytes: number;
  readonly slices: number;
}

type Field = keyof Rest;

const FIELDS: readonly Field[] = ['warmDollars', 'coldDollars', 'warmMs', 'coldMs', 'movedBytes', 'slices'];

/** By field and `layer * count + boundary`. Layer `n` has exactly `n` slices left; without a fixed number, there is one layer. */
export class Bounds {
  private readonly least: Readonly<Record<Field, Float64Array>>;
  private readonly count: number;

  constructor(
    table: StepTable,
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
      movedBytes: empty(),
      slices: empty(),
    };
    for (const field of FIELDS) this.least[field][this.count - 1] = 0;
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
      movedBytes: least.movedBytes[at],
      slices: least.slices[at],
    };
  }

  private relax(table: StepTable, model: CostModel, from: number, to: number, layers: number): void {
    const steps = table.steps[from * this.count + to];
    if (steps.length === 0) return;
    const { readBytes, writeBytes } = table.size(from, to);
    const added: Record<Field, number> = {
      warmDollars: leastOf(steps, (step) => step.warmDollars),
      coldDollars: leastOf(steps, (step) => step.coldDollars),
      warmMs: leastOf(steps, (step) => step.warmMs),
      // With warm-ups, a rest that begins late does not wait for its loads.
      coldMs: leastOf(steps, ({ loadMs, coldMs }) => (model.warmsUp ? coldMs : loadMs + coldMs)),
      movedBytes: readBytes + writeBytes,
      slices: 1,
    };
    for (const field of FIELDS) {
      const bound = this.least[field];
      if (layers === 1) {
        bound[from] = Math.min(bound[from], bound[to] + added[field]);
        continue;
      }
      for (let left = 1; left < layers; left++) {
        const at = left * this.count + from;
        bound[at] = Math.min(bound[at], bound[(left - 1) * this.count + to] + added[field]);
      }
    }
  }
}

function leastOf<T>(items: readonly T[], number: (item: T) => number): number {
  return items.reduce((least, item) => Math.min(least, number(item)), Infinity);
}
