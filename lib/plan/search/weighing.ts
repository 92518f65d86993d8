/**
 * What a step weighs when a shortest path looks for a plan: its dollars, and its time at some price. A path cannot add up loads side by
 * side or branches, so the paths for several prices of time are only where the planner starts; printed figures choose among them.
 */
import { coldShareAt } from '../../cost/chain';
import type { PlanRequest } from '../goal';
import type { Step } from './cut-graph';

export type Weighing = (step: Step) => number;

/** How many memory sizes and prices of time are compared. */
export type Grid = 'coarse' | 'fine';

/** Dollars of a millisecond: from a price at which time hardly matters to one at which a run's dollars hardly matter. */
const PRICES_OF_TIME: Readonly<Record<Grid, readonly number[]>> = {
  coarse: [0, 1e-9, 1e-8, 3e-8, 1e-7, 1e-6],
  fine: [0, ...Array.from({ length: 14 }, (_, step) => 1e-9 * 2 ** step)],
};
const LOWEST_PRICES = [0, 1e-8];
const HIGHEST_PRICES = [1e-7, 1e-6];

/** The weighings by which the best plan of a request may be the lightest one, the likeliest first. */
export function weighingsOf(request: PlanRequest, grid: Grid = 'coarse'): readonly Weighing[] {
  const { model, temperature, transport, minimize } = request;
  const share = coldShareAt(temperature, model.coldShare);
  const { put, get } = model.stores[transport];
  const [putMs, getMs] = [put.mean, get.mean];
  const mixed = (ofWarm: number, ofCold: number): number => (1 - share) * ofWarm + share * ofCold;
  const waitMs = ({ inState }: Step): number =>
    model.transition.mean + (inState?.isAnswered ? 0 : putMs) + (inState?.readsAll ? 0 : getMs);
  /** @param waited the part of a load for which a run waits: others may hide it */
  const msOf =
    (waited: number): Weighing =>
    (step) =>
      mixed(step.warmMs, step.coldMs + waited * step.loadMs) + waitMs(step);
  const times = share > 0 ? [msOf(0), msOf(1)] : [msOf(0)];
  const priced = pricesOf(request, grid).flatMap((perMs) =>
    times.map(
      (ms): Weighing =>
        (step) =>
          mixed(step.warmDollars, step.coldDollars) + (perMs + model.dollarsPerMs) * ms(step),
    ),
  );
  return minimize === 'latency' ? [...times, ...priced] : priced;
}

/** The squares are least if all slices load as long, so that no load ends after the others. */
export const EVEN_LOADS: Weighing = ({ loadMs }) => loadMs ** 2;

function pricesOf({ minimize, maxLatencyMs, maxDollars }: PlanRequest, grid: Grid): readonly number[] {
  if (minimize === 'latency' && maxDollars === undefined) return HIGHEST_PRICES;
  return minimize !== 'latency' && maxLatencyMs === undefined ? LOWEST_PRICES : PRICES_OF_TIME[grid];
}

/** The lightest one of some steps; the first one if several are. */
export function lightestOf(
  steps: readonly Step[],
  weigh: Weighing,
): { readonly step: Step; readonly weight: number } {
  let best = { step: steps[0], weight: weigh(steps[0]) };
  for (let index = 1; index < steps.length; index++) {
    const weight = weigh(steps[index]);
    if (weight < best.weight) best = { step: steps[index], weight };
  }
  return best;
}
