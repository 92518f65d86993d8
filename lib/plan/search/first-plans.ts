/** Finds good complete plans quickly, so that the exact search can drop most partial plans. */
import type { SliceSize } from '../sizes/estimate';
import type { Label } from './labels';
import { START, extended, requestDelays } from './labels';
import type { PlanRequest } from './plan-request';
import type { Step } from './step';
import type { Steps } from './step-table';
import { coldShareOf } from './step';

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
export function firstPlans(table: Steps, request: PlanRequest): Label[] {
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
  const delays = requestDelays(request.model, table.shared.transport);
  const weights: Weights[] = [...byTime, fastest, ...byBytes];
  return weights.flatMap((each) => {
    const weigh = weigher(each, request, delays);
    return lightest(table, request, (step, from, to) => weigh(step, table.size(from, to))) ?? [];
  });
}

/**
 * The plan with the least sum of weights.
 *
 * @returns `undefined` if the table has no plan with this number of slices
 */
export function lightest(
  table: Steps,
  { model, slices }: Pick<PlanRequest, 'model' | 'slices'>,
  weigh: (step: Step, from: number, to: number) => number,
): Label | undefined {
  const layers = slices ?? 1;
  const { count } = table;
  const isLayered = slices !== undefined;
  const reached = new Float64Array((layers + 1) * count).fill(Infinity);
  const cameFrom = new Int32Array((layers + 1) * count).fill(-1);
  reached[0] = 0;
  for (let from = 0; from < count - 1; from++) {
    for (let to = from + 1; to < count; to++) {
      const steps = table.steps[from * count + to];
      if (steps.length === 0) continue;
      const weight = weigh(lightestStep(steps, from, to, weigh), from, to);
      for (let layer = 0; layer < layers; layer++) {
        const [before, after] = [layer * count + from, (isLayered ? layer + 1 : 0) * count + to];
        if (!(reached[before] + weight < reached[after] * (1 - TIE))) continue;
        reached[after] = reached[before] + weight;
        cameFrom[after] = before;
      }
    }
  }
  const end = (isLayered ? layers : 0) * count + count - 1;
  if (reached[end] === Infinity) return undefined;
  const path: number[] = [];
  for (let at = end; at > 0; at = cameFrom[at]) path.unshift(at);
  return path.reduce((label, at) => {
    const to = at % count;
    // The steps above are the cheapest ones; which of their reads are in the state depends on the steps before.
    const step = lightestStep(table.after(label, to), label.boundary, to, weigh);
    return extended(label, to, step, table.size(label.boundary, to), model, table.joins(label, to));
  }, START);
}

function lightestStep(
  steps: readonly Step[],
  from: number,
  to: number,
  weigh: (step: Step, from: number, to: number) => number,
): Step {
  let [least, best] = [Infinity, steps[0]];
  for (const step of steps) {
    const own = weigh(step, from, to);
    if (own < least) [least, best] = [own, step];
  }
  return best;
}

function weigher(
  { dollars, perMs, perByte, perSlice }: Weights,
  { temperature, model }: PlanRequest,
  delays: ReturnType<typeof requestDelays>,
): (step: Step, size: SliceSize) => number {
  const cold = coldShareOf(temperature, model.coldShare);
  const mixed = (ofWarm: number, ofCold: number): number =>
    (cold < 1 ? (1 - cold) * ofWarm : 0) + (cold > 0 ? cold * ofCold : 0);
  const delayOf = ({ inState }: Step): number =>
    delays.slice - (inState?.isAnswered ? delays.put : 0) - (inState?.readsAll ? delays.get : 0);
  return (step, { readBytes, writeBytes }) =>
    dollars * mixed(step.warmDollars, step.coldDollars) +
    (perMs + dollars * model.dollarsPerMs) * (mixed(step.warmMs, step.coldMs + step.loadMs) + delayOf(step)) +
    perByte * (readBytes + writeBytes) +
    perSlice;
}
