/** Whether branches that run side by side are worth it. */
import type { Latency, RunCost } from '../../cost/cost-model';
import type { Goal } from '../goal';

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
  const time = ({ latency }: { readonly latency: Latency }): number => latency[quantile];
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
