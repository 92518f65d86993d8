/** Chooses the cuts that the search compares, if there are too many to compare all. */
import type { CutSpace } from './cuts';

/** The search compares all legal cuts up to this number; its time grows with their square. */
export const MAX_CANDIDATES = 192;

/** Ranges whose nodes the search sums up at most, in nodes. It has fewer candidates in larger graphs. */
const MAX_VISITS = 400_000;
const MIN_CANDIDATES = 48;

/** The number of candidate cuts for a range of so many nodes. */
export function candidateLimit(nodes: number): number {
  const affordable = Math.floor((2 * MAX_VISITS) / Math.max(1, nodes));
  return Math.max(MIN_CANDIDATES, Math.min(MAX_CANDIDATES, affordable));
}

/**
 * At most `limit` legal cuts and `required` ones: of each neighborhood the cut with the fewest crossing bytes.
 * Neighborhoods have about the same amount of nodes and of work together.
 *
 * @param legal ascending
 * @param required legal cuts
 */
export function candidateCuts(
  { crossingBytes, dataflow, costs }: CutSpace,
  legal: readonly number[],
  limit: number,
  required: readonly number[] = [],
): readonly number[] {
  if (legal.length <= limit) return legal;
  const seconds = new Float64Array(dataflow.order.length + 1);
  dataflow.order.forEach((node, position) => {
    seconds[position + 1] = seconds[position] + costs.work[node];
  });
  const total = seconds[dataflow.order.length];
  const [first, last] = [legal[0], legal[legal.length - 1]];
  const share = (cut: number): number => {
    const bySeconds = total > 0 ? (seconds[cut] - seconds[first]) / (seconds[last] - seconds[first] || 1) : 0;
    const byNodes = (cut - first) / (last - first);
    return total > 0 ? (bySeconds + byNodes) / 2 : byNodes;
  };
  const best = new Map<number, number>();
  for (const cut of legal) {
    const neighborhood = Math.min(limit - 1, Math.floor(share(cut) * limit));
    const known = best.get(neighborhood);
    if (known === undefined || crossingBytes[cut] < crossingBytes[known]) best.set(neighborhood, cut);
  }
  return [...new Set([...best.values(), ...required])].sort((a, b) => a - b);
}
