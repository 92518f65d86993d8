/** Improves a plan by what is printed of it: the search sees loads, branches side by side and tensors in the state only roughly. */
import type { CutSpace } from '../cuts/cuts';
import type { Goal, PlanRequest } from '../goal';
import { split } from '../search/cut-graph';
import { neighborsOf } from './neighbors';
import type { Offer, Offers } from './offers';
import type { Ranking } from './ranking';

/** The nodes and the slices of all plans that are tried, so that it takes a second at most. */
const MAX_TRIED_NODES = 100_000;
const MAX_TRIED_SLICES = 400;

/** Steps in a row that may find no better plan: parallel branches may need several cuts. */
const MAX_FAILURES = 3;

/** All plans that were tried on the way: each step goes to the best plan with another cut that was not tried before. */
export function improved(
  start: Offer,
  space: CutSpace,
  { goal, request }: { readonly goal: Goal; readonly request: PlanRequest },
  offers: Offers,
  ranking: Ranking,
): Offer[] {
  const most = MAX_TRIED_NODES / space.dataflow.order.length;
  const all: Offer[] = [];
  const tried = new Set([cutsOf(start).join(' ')]);
  let [from, best] = [start, start];
  let slices = 0;
  for (let failures = 0; failures <= MAX_FAILURES;) {
    const { settings, quality } = from.cut;
    const next: Offer[] = [];
    for (const cuts of neighborsOf(space.legal, cutsOf(from))) {
      const key = cuts.join(' ');
      if (tried.has(key) || !mayWin(cuts.length + 1, best, goal, request)) continue;
      if (tried.size > most || slices > MAX_TRIED_SLICES) break;
      tried.add(key);
      slices += cuts.length + 1;
      next.push(...offers.of({ settings, quality, groups: split(space, cuts) }, request, 'coarse'));
    }
    if (next.length === 0) break;
    const { groups } = ranking.nearest(next).cut;
    next.push(...offers.of({ groups, settings, quality }, request));
    all.push(...next);
    from = ranking.nearest(next);
    failures = ranking.isNearer(from, best) ? 0 : failures + 1;
    if (failures === 0) best = from;
  }
  return all;
}

function mayWin(
  slices: number,
  best: Offer,
  { minimize }: Goal,
  { maxSlices, slices: fixed = slices }: PlanRequest,
): boolean {
  if (slices > maxSlices || slices !== fixed) return false;
  return minimize !== 'slices' || !best.keepsLimits || slices <= best.cut.groups.length;
}

/** The positions before which the slices after the first one begin. */
function cutsOf({ cut: { groups } }: Offer): number[] {
  let end = 0;
  return groups.slice(0, -1).map(({ length }) => (end += length));
}
