/** Says what the best plans reach if no plan keeps the limits of a goal. */
import { SlicedInferenceError } from '../../errors';
import { largestOf, smallestOf } from '../../extremes';
import type { Goal } from '../goal';
import type { Offer } from './offers';

const MILLION = 1e6;

/** @param plans the fastest plans, the fastest ones within the price, and the cheapest ones */
export function unreachable(goal: Goal, plans: readonly Offer[]): SlicedInferenceError {
  const { maxLatencyMs, maxDollars, quantile } = goal;
  const time = ({ cost }: Offer): number => cost.latency[quantile];
  const fastest = least(plans, time);
  if (maxLatencyMs !== undefined) {
    const limit = `a run must have a ${quantile} latency of at most ${ms(maxLatencyMs)}`;
    if (time(fastest) > maxLatencyMs)
      return new SlicedInferenceError(
        limit,
        `${ms(time(fastest))} for the fastest plan, ${described(fastest)}`,
        'allow more time, or more memory for a function',
      );
    const within = plans.filter(({ cost }) => cost.dollars <= (maxDollars ?? Infinity));
    if (within.length > 0 && maxDollars !== undefined) {
      const found = least(within, time);
      return new SlicedInferenceError(
        `${limit} and cost at most ${dollars(maxDollars)} in a million runs`,
        `${ms(time(found))} for the fastest plan at that cost, ${described(found)}`,
        'allow more time or a higher cost',
      );
    }
  }
  const cheapest = least(plans, ({ cost }) => cost.dollars);
  return new SlicedInferenceError(
    `a million runs must cost at most ${dollars(maxDollars ?? 0)}`,
    `${dollars(cheapest.cost.dollars)} for the cheapest plan, ${described(cheapest)}`,
    'allow a higher cost',
  );
}

function least(plans: readonly Offer[], of: (plan: Offer) => number): Offer {
  return plans.reduce((a, b) => (of(b) < of(a) ? b : a));
}

function described({ cut: { settings, whole } }: Offer): string {
  const sizes = settings?.memoryMb ?? [];
  if (sizes.length === 1) return `one slice of ${sizes[0]} MB`;
  const [smallest, largest] = [smallestOf(sizes), largestOf(sizes)];
  const beside = whole === undefined ? '' : ` and the whole model in one of ${whole.memoryMb} MB`;
  return `${sizes.length} slices of ${smallest === largest ? smallest : `${smallest} to ${largest}`} MB${beside}`;
}

function ms(time: number): string {
  return `${Math.ceil(time)} ms`;
}

function dollars(ofRun: number): string {
  return `$${(Math.ceil(ofRun * MILLION * 100) / 100).toFixed(2)}`;
}
