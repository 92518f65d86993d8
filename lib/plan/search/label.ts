/** Labels: partial plans from the start of the order to a vertex. A set of them keeps those that may still become the best plan. */
import * as chains from '../../cost/chain';
import type { PlanRequest } from '../goal';
import type { PricedGraph, Step } from './cut-graph';

/** A partial plan with its totals, and the label that it continues by one step. */
export interface Label extends chains.ColdProgress, chains.InStateCounts {
  readonly vertex: number;
  readonly slices: number;
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  readonly movedBytes: number;
  readonly last?: { readonly before: Label; readonly step: Step };
}

export const START: Label = {
  ...{ vertex: 0, slices: 0, warmDollars: 0, coldDollars: 0, warmMs: 0, movedBytes: 0 },
  ...chains.COLD_START,
  ...{ answered: 0, fed: 0 },
};

/** @param leastLoadMs a load that every rest of the plan has; the state of the warm-ups ends no earlier */
export function extended(
  before: Label,
  vertex: number,
  step: Step,
  { warmsUp }: chains.CostModel,
  leastLoadMs = 0,
): Label {
  const { startMs, laterMs } = chains.afterColdStep(before, step, before.slices === 0, warmsUp);
  return {
    vertex,
    slices: before.slices + 1,
    warmDollars: before.warmDollars + step.warmDollars,
    coldDollars: before.coldDollars + step.coldDollars,
    warmMs: before.warmMs + step.warmMs,
    startMs: Math.max(startMs, leastLoadMs),
    laterMs,
    answered: before.answered + (step.inState?.isAnswered ? 1 : 0),
    fed: before.fed + (step.inState?.readsAll ? 1 : 0),
    movedBytes: before.movedBytes + step.movedBytes,
    last: { before, step },
  };
}

export function pathOf(label: Label): readonly number[] {
  const path = [label.vertex];
  for (let at = label.last?.before; at !== undefined; at = at.last?.before) path.push(at.vertex);
  return path.reverse();
}

/** By slice, in MB. */
export function memoryOf(label: Label): readonly number[] {
  const memory: number[] = [];
  for (let at = label.last; at !== undefined; at = at.before.last) memory.push(at.step.memoryMb);
  return memory.reverse();
}

/** What a rest adds to a label; see `Bounds`. */
export interface Rest {
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  /** The sum of `coldMs`, and of `loadMs` without warm-ups. */
  readonly coldMs: number;
  /** The largest load; 0 without warm-ups. */
  readonly loadMs: number;
  readonly slices: number;
  /** Slices that write to S3, and slices that read from it. */
  readonly puts: number;
  readonly gets: number;
}

export const NO_REST: Rest = {
  ...{ warmDollars: 0, coldDollars: 0, warmMs: 0, coldMs: 0, loadMs: 0 },
  ...{ slices: 0, puts: 0, gets: 0 },
};

export function totalsOf(label: Label, rest: Rest, { transport, isLast }: PricedGraph): chains.ChainTotals {
  const slices = label.slices + rest.slices;
  const results = isLast ? 1 : 0;
  const writes =
    transport === 's3-standard'
      ? { 's3-standard': slices, 's3-express': 0 }
      : { 's3-standard': results, 's3-express': slices - results };
  const inState = {
    answered: Math.max(0, slices - (label.slices - label.answered + rest.puts)),
    fed: Math.max(0, slices - (label.slices - label.fed + rest.gets)),
  };
  return {
    writes,
    ...(inState.answered + inState.fed > 0 && { inState }),
    warmDollars: label.warmDollars + rest.warmDollars,
    coldDollars: label.coldDollars + rest.coldDollars,
    warmMs: label.warmMs + rest.warmMs,
    coldMs: Math.max(label.startMs, rest.loadMs) + (label.laterMs + rest.coldMs),
  };
}

type Criteria = readonly ((label: Label) => number)[];

/** Dollars are linear in the dollars and milliseconds of the steps, so a sum of these stands for all of them. */
export function criteriaOf(
  { minimize, maxLatencyMs, maxDollars, tensorsInState }: PlanRequest,
  { model, temperature, transport }: PricedGraph,
): Criteria {
  const isTimed = minimize === 'latency' || maxLatencyMs !== undefined;
  const isPriced = minimize !== 'latency' || maxDollars !== undefined;
  const saved = tensorsInState ? savedMs(model, transport) : () => 0;
  const coldMs = (label: Label): number => label.startMs + label.laterMs - saved(label);
  // A later load may be longer than the start, so a plan that is slower afterwards may become slower in total.
  const laterMs = (label: Label): number => label.laterMs - saved(label);
  const cold = model.warmsUp ? [coldMs, laterMs] : [coldMs];
  const share = chains.coldShareAt(temperature, model.coldShare);
  const dollars = (ofCold: (label: Label) => number, label: Label): number =>
    (1 - share) * (label.warmDollars + model.dollarsPerMs * (label.warmMs - saved(label))) +
    share * (label.coldDollars + model.dollarsPerMs * ofCold(label));
  return [
    ...(isPriced ? (share > 0 ? cold : [coldMs]).map((own) => (label: Label) => dollars(own, label)) : []),
    ...(isTimed && temperature !== 'cold' ? [(label: Label) => label.warmMs - saved(label)] : []),
    ...(isTimed && temperature !== 'warm' ? cold : []),
  ];
}

/** The random delays that slices do not have whose tensors travel in the state, in milliseconds. */
function savedMs(
  model: chains.CostModel,
  transport: chains.Transport,
): (counts: chains.InStateCounts) => number {
  const { put, get } = requestDelays(model, transport);
  return ({ answered, fed }) => answered * put + fed * get;
}

/** Medians of the random delays of a slice, of its write and of its read, in milliseconds. */
export function requestDelays(
  model: chains.CostModel,
  transport: chains.Transport,
): { readonly slice: number; readonly put: number; readonly get: number } {
  const latencyMs = (slices: number, answered = 0, fed = 0): number => {
    const writes = { 's3-standard': 0, 's3-express': 0, [transport]: slices };
    const none = { warmDollars: 0, coldDollars: 0, warmMs: 0, coldMs: 0 };
    return model.latencyMs({ ...none, writes, inState: { answered, fed } }, 'warm', 'p50');
  };
  const all = latencyMs(3);
  return { slice: all - latencyMs(2), put: all - latencyMs(3, 1), get: all - latencyMs(3, 0, 1) };
}

/** The labels of one vertex of which no one dominates another one: is at least as good by all criteria. */
export class LabelSet {
  /** In the order in which they were added, which decides between equal plans. */
  private compared: { readonly label: Label; readonly numbers: Float64Array }[] = [];

  /** @param slack factor by which a label with as few slices may be worse by every criterion and still dominate */
  constructor(
    private readonly criteria: Criteria,
    private readonly slack: number,
  ) {}

  get labels(): readonly Label[] {
    return this.compared.map(({ label }) => label);
  }

  /** Adds the label, unless one of the set is about as good. It replaces those of the set that it dominates. */
  add(label: Label): void {
    const numbers = Float64Array.of(label.slices, ...this.criteria.map((criterion) => criterion(label)));
    if (this.compared.some((other) => dominates(other.numbers, numbers, this.slack))) return;
    this.compared = this.compared.filter((other) => !dominates(numbers, other.numbers, 1));
    this.compared.push({ label, numbers });
  }
}

function dominates(a: Float64Array, b: Float64Array, slack: number): boolean {
  if (a[0] > b[0]) return false;
  for (let index = 1; index < a.length; index++) if (a[index] > b[index] * slack) return false;
  return true;
}
