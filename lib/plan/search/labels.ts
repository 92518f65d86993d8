/** Partial plans, from the start of the order to a boundary, and the sets of those that may still become the best plan. */
import type { ColdProgress } from '../../cost/chain';
import { COLD_START, afterColdStep } from '../../cost/chain';
import type { CostModel, InStateCounts, Transport } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { PlanRequest } from './plan-request';
import type { Step } from './step';
import { coldShareOf, dimensionsOf } from './step';

/** Slices at the end of a partial plan that read nothing from each other, so that they run side by side. */
interface Stage {
  /** The boundary at which the first of them begins. */
  readonly from: number;
  readonly isFirst: boolean;
  /** Times of the partial plan before them; see `ColdProgress`. */
  readonly warmMs: number;
  readonly laterMs: number;
}

/** A partial plan with its totals, and the partial plan that it continues by one step. */
export interface Label extends ColdProgress, InStateCounts {
  readonly boundary: number;
  readonly slices: number;
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  /** `startMs + laterMs`. */
  readonly coldMs: number;
  readonly movedBytes: number;
  readonly stage: Stage;
  readonly last?: { readonly before: Label; readonly step: Step };
}

export const START: Label = {
  boundary: 0,
  slices: 0,
  warmDollars: 0,
  coldDollars: 0,
  warmMs: 0,
  coldMs: 0,
  ...COLD_START,
  answered: 0,
  fed: 0,
  movedBytes: 0,
  stage: { from: 0, isFirst: true, warmMs: 0, laterMs: 0 },
};

/**
 * @param joins whether the slice runs beside the last stage. Then its random delays pass meanwhile.
 * @param leastLoadMs a load that every rest of the plan has; the state of the warm-ups ends no earlier
 */
export function extended(
  before: Label,
  boundary: number,
  step: Step,
  size: SliceSize,
  { warmsUp }: CostModel,
  joins = false,
  leastLoadMs = 0,
): Label {
  const { slices, startMs: started, warmMs, laterMs } = before;
  const stage = joins ? before.stage : { from: before.boundary, isFirst: slices === 0, warmMs, laterMs };
  const cold = afterColdStep({ startMs: started, laterMs: stage.laterMs }, step, stage.isFirst, warmsUp);
  const later = Math.max(laterMs, cold.laterMs);
  const startMs = Math.max(cold.startMs, leastLoadMs);
  return {
    boundary,
    slices: slices + 1,
    warmDollars: before.warmDollars + step.warmDollars,
    coldDollars: before.coldDollars + step.coldDollars,
    warmMs: Math.max(warmMs, stage.warmMs + step.warmMs),
    coldMs: startMs + later,
    startMs,
    laterMs: later,
    answered: before.answered + (joins || step.inState?.isAnswered ? 1 : 0),
    fed: before.fed + (joins || step.inState?.readsAll ? 1 : 0),
    movedBytes: before.movedBytes + size.readBytes + size.writeBytes,
    stage,
    last: { before, step },
  };
}

interface PlannedStep {
  readonly from: number;
  readonly to: number;
  readonly step: Step;
  /** Whether it runs beside the step before it. */
  readonly joins: boolean;
}

/** The partial plan's steps with the boundaries between which they run. */
export function stepsOf(label: Label): PlannedStep[] {
  const steps: PlannedStep[] = [];
  for (let at = label; at.last !== undefined; at = at.last.before) {
    const { before, step } = at.last;
    const joins = at.stage.from < before.boundary;
    steps.push({ from: before.boundary, to: at.boundary, step, joins });
  }
  return steps.reverse();
}

/** The totals by which partial plans are compared, apart from the number of slices. Less is better. */
export type ComparedTotals = readonly ((label: Label) => number)[];

/** Dollars are linear in the dollars and milliseconds of the steps, so a sum of these stands for all of them. */
export function comparedBy(
  request: PlanRequest,
  wantsFront: boolean,
  transport: Transport = 's3-standard',
): ComparedTotals {
  const { model, temperature, minimize, maxLatencyMs, maxDollars, maxMovedBytes } = request;
  const { warm, cold } = dimensionsOf(temperature);
  const isTimed = wantsFront || minimize === 'latency' || maxLatencyMs !== undefined;
  const isPriced = wantsFront || minimize !== 'latency' || maxDollars !== undefined;
  const saved = request.tensorsInState ? savedMs(model, transport) : () => 0;
  // A later load may be longer than the start, so a plan that is slower afterwards may become slower in total.
  const ofCold: ComparedTotals = [
    (label) => label.coldMs - saved(label),
    ...(model.warmsUp ? [(label: Label) => label.laterMs - saved(label)] : []),
  ];
  return [
    ...(isPriced ? dollarsOf(model, coldShareOf(temperature, model.coldShare), saved) : []),
    ...(isTimed && warm ? [(label: Label) => label.warmMs - saved(label)] : []),
    ...(isTimed && cold ? ofCold : []),
    ...(maxMovedBytes === undefined ? [] : [({ movedBytes }: Label) => movedBytes]),
  ];
}

/** The dollars so far if all later loads are short, and if one of them is longer than the start. */
function dollarsOf(
  { dollarsPerMs, warmsUp }: CostModel,
  cold: number,
  saved: (label: Label) => number,
): ComparedTotals {
  const dollars = (label: Label, coldMs: number): number =>
    (1 - cold) * (label.warmDollars + dollarsPerMs * label.warmMs) +
    cold * (label.coldDollars + dollarsPerMs * coldMs) -
    dollarsPerMs * saved(label);
  const ofShort = (label: Label): number => dollars(label, label.coldMs);
  return cold > 0 && warmsUp ? [ofShort, (label) => dollars(label, label.laterMs)] : [ofShort];
}

/** The random delays that slices do not have whose tensors travel in the state, in milliseconds. */
export function savedMs(model: CostModel, transport: Transport): (counts: InStateCounts) => number {
  const { put, get } = requestDelays(model, transport);
  return ({ answered, fed }) => answered * put + fed * get;
}

/** Medians of the random delays of a slice, of its write and of its read, in milliseconds. */
export function requestDelays(
  model: CostModel,
  transport: Transport,
): { readonly slice: number; readonly put: number; readonly get: number } {
  const latencyMs = (slices: number, answered = 0, fed = 0): number => {
    const writes = { 's3-standard': 0, 's3-express': 0, [transport]: slices };
    const inState = { answered, fed };
    const none = { warmDollars: 0, coldDollars: 0, warmMs: 0, coldMs: 0 };
    return model.latencyMs({ ...none, writes, inState }, 'warm', 'p50');
  };
  const all = latencyMs(3);
  return { slice: all - latencyMs(2), put: all - latencyMs(3, 1), get: all - latencyMs(3, 0, 1) };
}

/** A partial plan, and its totals that are compared. */
interface Compared {
  readonly label: Label;
  readonly totals: Float64Array;
}

/** Partial plans up to one boundary, of which none is at least as good as another one in all compared totals. */
export class LabelSet {
  /** In the order in which they were added, which decides between equal plans. */
  private compared: Compared[] = [];
  /** The same: those that replaced others are nearer to the start, so that they are compared first. */
  private byHits: Compared[] = [];

  /** @param slack factor on the totals of a plan by which one with as few slices may be worse and still replace it */
  constructor(
    private readonly by: ComparedTotals,
    private readonly slack: number,
  ) {}

  get labels(): readonly Label[] {
    return this.compared.map(({ label }) => label);
  }

  /** Adds the partial plan, unless one of the set is about as good. It replaces those of the set that are no better at all. */
  add(label: Label): void {
    const added = this.totalsOf(label);
    if (this.hasAsGood(added)) return;
    const isBeaten = ({ totals }: Compared): boolean => isNoWorse(added, totals, 1);
    if (this.compared.some(isBeaten)) {
      this.compared = this.compared.filter((other) => !isBeaten(other));
      this.byHits = this.byHits.filter((other) => !isBeaten(other));
    }
    const own = { label, totals: added };
    this.compared.push(own);
    this.byHits.push(own);
  }

  private hasAsGood(added: Float64Array): boolean {
    const { byHits, slack } = this;
    const hit = byHits.findIndex(({ totals }) => isNoWorse(totals, added, slack));
    if (hit < 0) return false;
    const before = hit >> 1;
    [byHits[before], byHits[hit]] = [byHits[hit], byHits[before]];
    return true;
  }

  private totalsOf(label: Label): Float64Array {
    const totals = new Float64Array(1 + this.by.length);
    totals[0] = label.slices;
    for (let index = 0; index < this.by.length; index++) totals[index + 1] = this.by[index](label);
    return totals;
  }
}

/** Whether `a` has no more slices than `b`, and no more than `slack` times each of its other totals. */
function isNoWorse(a: Float64Array, b: Float64Array, slack: number): boolean {
  if (a[0] > b[0]) return false;
  for (let index = 1; index < a.length; index++) if (a[index] > b[index] * slack) return false;
  return true;
}
