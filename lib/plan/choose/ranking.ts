/** Compares plans by what is printed of them, and says what they reach if none keeps the limits. */
import type { RunCost } from '../../cost/chain';
import type { Goal } from '../goal';
import type { Offer } from './offers';
import { SlicedInferenceError } from '../../errors';
import { largestOf, smallestOf } from '../../extremes';

/** An even plan may cost and take this share more than the best one. */
const EVEN_SHARE = 0.01;
/** ...and move this many times its bytes. */
const MAX_MORE_BYTES = 1.5;

export class Ranking {
  constructor(private readonly goal: Goal) {}

  isBetter(a: Offer, b: Offer): boolean {
    const [keysOfA, keysOfB] = [this.keys(a), this.keys(b)];
    const decisive = keysOfA.findIndex((key, index) => key !== keysOfB[index]);
    return decisive >= 0 && keysOfA[decisive] < keysOfB[decisive];
  }

  /** Whether it is nearer to the limits, or better and within them. */
  isNearer(a: Offer, b: Offer): boolean {
    const [own, other] = [this.excess(a), this.excess(b)];
    return own === other ? this.isBetter(a, b) : own < other;
  }

  nearest<T extends Offer>(offers: readonly T[]): T {
    return offers.reduce((a, b) => (this.isNearer(b, a) ? b : a));
  }

  /** The best one that keeps the limits. */
  best<T extends Offer>(offers: readonly T[]): T | undefined {
    const kept = offers.filter(({ keepsLimits }) => keepsLimits);
    return kept.length === 0 ? undefined : kept.reduce((a, b) => (this.isBetter(b, a) ? b : a));
  }

  /** Whether it keeps the limits and is hardly worse. */
  isAsGood({ cut, cost, keepsLimits, movedBytes }: Offer, best: Offer): boolean {
    // The fastest plan is worth its price, so a cheaper one is welcome, and a dearer one is not.
    const mostDollars = (this.goal.minimize === 'latency' ? 1 : 1 + EVEN_SHARE) * best.cost.dollars;
    return (
      keepsLimits &&
      cut.groups.length === best.cut.groups.length &&
      cost.dollars <= mostDollars &&
      movedBytes <= MAX_MORE_BYTES * best.movedBytes &&
      this.time(cost) <= (1 + EVEN_SHARE) * this.time(best.cost)
    );
  }

  private excess({ keepsLimits, tooLarge, cost }: Offer): number {
    if (keepsLimits) return 0;
    if (tooLarge) return Infinity;
    const { maxLatencyMs = Infinity, maxDollars = Infinity } = this.goal;
    return Math.max(this.time(cost) / maxLatencyMs, cost.dollars / maxDollars) - 1;
  }

  private keys({ cut, cost }: Offer): number[] {
    const slices = cut.groups.length;
    switch (this.goal.minimize) {
      case 'slices':
        // Cost and time are no goals, so the whole model is there wherever it is worthwhile.
        return [slices, cut.whole ? 0 : 1, cost.dollars, this.time(cost)];
      case 'cost':
        return [cost.dollars, this.time(cost), slices];
      case 'latency':
        return [this.time(cost), cost.dollars, slices];
    }
  }

  private time({ latency }: Offer['cost']): number {
    return latency[this.goal.quantile];
  }
}

/** If the fewest slices are requested: share of a sequential run's time that parallel branches must save... */
const MIN_SAVED_TIME = 0.1;
/** ...and share of its dollars that they may cost in addition. */
const MAX_ADDED_COST = 0.25;
/** Otherwise: share of the dollars or of the time that they must save. Less is within the error of the estimates. */
const MIN_SAVED = 0.02;

/** Whether the plan runs so much better than the sequential one, and better than the best one so far. */
export function areBranchesWorthwhile(
  { minimize, quantile }: Pick<Goal, 'minimize' | 'quantile'>,
  own: RunCost,
  best: RunCost,
  sequential: RunCost,
): boolean {
  const time = ({ latency }: RunCost): number => latency[quantile];
  switch (minimize) {
    case 'cost':
      return own.dollars < best.dollars && own.dollars <= (1 - MIN_SAVED) * sequential.dollars;
    case 'latency':
      return time(own) < time(best) && time(own) <= (1 - MIN_SAVED) * time(sequential);
    case 'slices':
      return (
        time(own) < time(best) &&
        time(own) <= (1 - MIN_SAVED_TIME) * time(sequential) &&
        own.dollars <= (1 + MAX_ADDED_COST) * sequential.dollars
      );
  }
}

const MILLION = 1e6;

/** @param plans the fastest plans, the fastest ones within the price, and the cheapest ones */
export function unreachable(goal: Goal, plans: readonly Offer[]): SlicedInferenceError {
  const { maxLatencyMs = Infinity, maxDollars = Infinity, quantile } = goal;
  const time = ({ cost }: Offer): number => cost.latency[quantile];
  const within = plans.filter(({ cost }) => cost.dollars <= maxDollars);
  const fastest = least(within.length > 0 ? within : plans, time);
  if (time(fastest) > maxLatencyMs) {
    const price = maxDollars === Infinity ? '' : ` and cost at most ${dollars(maxDollars)} in a million runs`;
    return new SlicedInferenceError(
      `a run must have a ${quantile} latency of at most ${ms(maxLatencyMs)}${price}`,
      `${ms(time(fastest))} for the fastest plan, ${described(fastest)}`,
      `allow more time${price === '' ? ', or more memory for a function' : ' or a higher cost'}`,
    );
  }
  const cheapest = least(plans, ({ cost }) => cost.dollars);
  return new SlicedInferenceError(
    `a million runs must cost at most ${dollars(maxDollars)}`,
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

export function attempt<T>(choose: () => T): T | SlicedInferenceError {
  try {
    return choose();
  } catch (error) {
    if (error instanceof SlicedInferenceError) return error;
    throw error;
  }
}

/** The choices in the spaces that have one. */
export function attemptAll<S, T>(spaces: readonly S[], choose: (space: S) => T): T[] {
  const attempts = spaces.map((space) => attempt(() => choose(space)));
  const found = attempts.flatMap((each) => (each instanceof SlicedInferenceError ? [] : [each]));
  const last = attempts[attempts.length - 1];
  if (found.length === 0 && last instanceof SlicedInferenceError) throw last;
  return found;
}
