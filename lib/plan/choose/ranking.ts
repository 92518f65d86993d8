/** Compares plans by what is printed of them. */
import type { RunCost } from '../../cost/chain';
import type { Goal } from '../goal';
import type { Offer } from './offers';

/** An even plan may cost and take this share more than the best one. */
const EVEN_SHARE = 0.01;

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

  /** The best one that keeps the limits, or an even one that is hardly worse. */
  best<T extends Offer & { readonly isEven?: boolean }>(offers: readonly T[]): T | undefined {
    const kept = offers.filter(({ keepsLimits }) => keepsLimits);
    if (kept.length === 0) return undefined;
    const bestOf = (some: readonly T[]): T => some.reduce((a, b) => (this.isBetter(b, a) ? b : a));
    const best = bestOf(kept);
    const near = kept.filter((each) => each.isEven && this.isNear(each, best));
    return near.length === 0 ? best : bestOf(near);
  }

  private isNear({ cut, cost }: Offer, best: Offer): boolean {
    return (
      cut.groups.length === best.cut.groups.length &&
      cost.dollars <= (1 + EVEN_SHARE) * best.cost.dollars &&
      this.time(cost) <= (1 + EVEN_SHARE) * this.time(best.cost)
    );
  }

  /** By which share the plan is beyond the limits. */
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
