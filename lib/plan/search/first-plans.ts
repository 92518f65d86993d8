/** Finds good complete plans quickly, so that the exact search can drop most partial plans. */
import type { CostModel, Transport } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { Label } from './labels';
import { START, extended } from './labels';
import type { PlanRequest } from './plan-request';
import type { Step, StepTable } from './step-table';
import { coldShareOf } from './step-table';

/** What a first plan weighs against dollars: dollars per millisecond, per byte moved and per slice. */
interface Weights {
  readonly dollars: number;
  readonly perMs: number;
  readonly perByte: number;
  readonly perSlice: number;
}

/** From a price at which time hardly matters to one at which a run's dollars hardly matter. */
const PRICES_OF_TIME = [0, 1e-9, 1e-8, 3e-8, 1e-7, 1e-6];
const PRICES_OF_BYTES = [1e-14, 1e-13, 1e-12, 1e-11];
/** More than any run costs. */
const PRICE_OF_SLICE = 1e3;

/** Sums that differ by less are equal but for rounding; then the first plan stays, at every size of the model. */
const TIE = 1e-9;

/** A plan for each of several weights; there may be none with a fixed number of slices. */
export function firstPlans(table: StepTable, request: PlanRequest): Label[] {
  const perSlice = request.minimize === 'slices' ? PRICE_OF_SLICE : 0;
  const byTime = PRICES_OF_TIME.map((perMs) => ({ dollars: 1, perMs, perByte: 0, perSlice }));
  const fastest = { dollars: 0, perMs: 1, perByte: 0, perSlice };
  const byBytes =
    request.maxMovedBytes === undefined
      ? []
      : [
          ...PRICES_OF_BYTES.map((perByte) => ({ dollars: 1, perMs: 0, perByte, perSlice })),
          { dollars: 0, perMs: 0, perByte: 1, perSlice },
        ];
  const weights: Weights[] = [...byTime, fastest, ...byBytes];
  return weights.flatMap((each) => {
    const weigh = weigher(each, request, delayMs(request.model, table.shared.transport));
    return lightest(table, request, (step, from, to) => weigh(step, table.size(from, to))) ?? [];
  });
}

/**
 * The plan with the least sum of weights.
 *
 * @returns `undefined` if the table has no plan with this number of slices
 */
export function lightest(
  table: StepTable,
  { model, slices }: Pick<PlanRequest, 'model' | 'slices'>,
  weigh: (step: Step, from: number, to: number) => number,
): Label | undefined {
  const layers = slices ?? 1;
  const { count } = table;
  const isLayered = slices !== undefined;
  const reached = new Float64Array((layers + 1) * count).fill(Infinity);
  const cameFrom = new Int32Array((layers + 1) * count).fill(-1);
  const cameBy = new Array<Step | undefined>((layers + 1) * count);
  reached[0] = 0;
  for (let from = 0; from < count - 1; from++) {
    for (let to = from + 1; to < count; to++) {
      const steps = table.steps[from * count + to];
      if (steps.length === 0) continue;
      let [weight, best] = [Infinity, steps[0]];
      for (const step of steps) {
        const own = weigh(step, from, to);
        if (own < weight) [weight, best] = [own, step];
      }
      for (let layer = 0; layer < layers; layer++) {
        const [before, after] = [layer * count + from, (isLayered ? layer + 1 : 0) * count + to];
        if (!(reached[before] + weight < reached[after] * (1 - TIE))) continue;
        reached[after] = reached[before] + weight;
        cameFrom[after] = before;
        cameBy[after] = best;
      }
    }
  }
  const end = (isLayered ? layers : 0) * count + count - 1;
  if (reached[end] === Infinity) return undefined;
  const path: number[] = [];
  for (let at = end; at > 0; at = cameFrom[at]) path.unshift(at);
  return path.reduce((label, at) => {
    const step = cameBy[at];
    if (step === undefined) throw new Error('a reached boundary has a step');
    const to = at % count;
    return extended(label, to, step, table.size(label.boundary, to), model);
  }, START);
}

function weigher(
  { dollars, perMs, perByte, perSlice }: Weights,
  { temperature, model }: PlanRequest,
  delay: number,
): (step: Step, size: SliceSize) => number {
  const cold = coldShareOf(temperature, model.coldShare);
  const mixed = (ofWarm: number, ofCold: number): number =>
    (cold < 1 ? (1 - cold) * ofWarm : 0) + (cold > 0 ? cold * ofCold : 0);
  return (step, { readBytes, writeBytes }) =>
    dollars * mixed(step.warmDollars, step.coldDollars) +
    (perMs + dollars * model.dollarsPerMs) * (mixed(step.warmMs, step.coldMs + step.loadMs) + delay) +
    perByte * (readBytes + writeBytes) +
    perSlice;
}

/** Median of the random delays that one more slice adds. */
function delayMs(model: CostModel, transport: Transport): number {
  const latencyMs = (slices: number): number =>
    model.latencyMs(
      {
        writes: { 's3-standard': 0, 's3-express': 0, [transport]: slices },
        warmDollars: 0,
        coldDollars: 0,
        warmMs: 0,
        coldMs: 0,
      },
      'warm',
      'p50',
    );
  return latencyMs(3) - latencyMs(2);
}
