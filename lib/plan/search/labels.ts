/** Partial plans, from the start of the order to a boundary, and the sets of those that may still become the best plan. */
import type { CostModel } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { Dimensions, Step } from './step-table';
import { endOfCold } from './step-table';

/** A partial plan with its totals, and the partial plan that it continues by one step. */
export interface Label {
  readonly boundary: number;
  readonly slices: number;
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  readonly coldMs: number;
  readonly movedBytes: number;
  readonly last?: { readonly before: Label; readonly step: Step };
}

export const START: Label = {
  boundary: 0,
  slices: 0,
  warmDollars: 0,
  coldDollars: 0,
  warmMs: 0,
  coldMs: 0,
  movedBytes: 0,
};

export function extended(
  before: Label,
  boundary: number,
  step: Step,
  size: SliceSize,
  model: CostModel,
): Label {
  return {
    boundary,
    slices: before.slices + 1,
    warmDollars: before.warmDollars + step.warmDollars,
    coldDollars: before.coldDollars + step.coldDollars,
    warmMs: before.warmMs + step.warmMs,
    coldMs: endOfCold(model, before.coldMs, step),
    movedBytes: before.movedBytes + size.readBytes + size.writeBytes,
    last: { before, step },
  };
}

/** The partial plan's steps with the boundaries between which they run. */
export function stepsOf(label: Label): { readonly from: number; readonly to: number; readonly step: Step }[] {
  const steps: { from: number; to: number; step: Step }[] = [];
  for (let at = label; at.last !== undefined; at = at.last.before)
    steps.push({ from: at.last.before.boundary, to: at.boundary, step: at.last.step });
  return steps.reverse();
}

/** Partial plans up to one boundary, of which none is at least as good as another one in all totals. */
export class LabelSet {
  readonly labels: Label[] = [];

  constructor(
    private readonly dimensions: Dimensions,
    private readonly comparesBytes: boolean,
  ) {}

  /** Whether a partial plan of the set is at least as good in all totals. */
  dominates(label: Label): boolean {
    return this.labels.some((other) => this.isNoWorse(other, label));
  }

  /** Adds a partial plan that the set does not dominate. */
  add(label: Label): void {
    let kept = 0;
    for (const other of this.labels) if (!this.isNoWorse(label, other)) this.labels[kept++] = other;
    this.labels.length = kept;
    this.labels.push(label);
  }

  private isNoWorse(a: Label, b: Label): boolean {
    if (a.slices > b.slices) return false;
    const { warm, cold } = this.dimensions;
    if (warm && (a.warmDollars > b.warmDollars || a.warmMs > b.warmMs)) return false;
    if (cold && (a.coldDollars > b.coldDollars || a.coldMs > b.coldMs)) return false;
    return !this.comparesBytes || a.movedBytes <= b.movedBytes;
  }
}
