/** Improves a plan by what is printed of it: a path sees loads, branches side by side and tensors in the state only roughly. */
import type { CutSpace } from '../cuts/cuts';
import type { PlanRequest } from '../goal';
import { split } from '../search/cut-graph';
import { exchangedMemories, nearMemories } from './memory';
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
  request: PlanRequest,
  offers: Offers,
  ranking: Ranking,
): Offer[] {
  const most = MAX_TRIED_NODES / space.dataflow.order.length;
  const all: Offer[] = [];
  const tried = new Set([cutsOf(start).join(' ')]);
  let [from, best] = [start, start];
  let slices = 0;
  for (let failures = 0; failures <= MAX_FAILURES;) {
    const { quality } = from.cut;
    const next: Offer[] = [];
    for (const cuts of neighborsOf(space.legal, cutsOf(from))) {
      const key = cuts.join(' ');
      if (tried.has(key) || !mayWin(cuts.length + 1, best, request)) continue;
      if (tried.size > most || slices > MAX_TRIED_SLICES) break;
      tried.add(key);
      slices += cuts.length + 1;
      next.push(...offers.of({ quality, groups: split(space, cuts) }, request, 'coarse'));
    }
    if (next.length === 0) break;
    const { groups } = ranking.nearest(next).cut;
    next.push(...offers.of({ groups, quality }, request));
    all.push(...next);
    from = ranking.nearest(next);
    failures = ranking.isNearer(from, best) ? 0 : failures + 1;
    if (failures === 0) best = from;
  }
  return all;
}

/** The memory of how many slices is tried. */
const MAX_TUNED_SLICES = 3000;

/** The plan with the memory that moves of one function or of all lead to. */
export function tuned(
  start: Offer,
  { maxMemoryMb, maxDollars, maxLatencyMs }: PlanRequest,
  ranking: Ranking,
): Offer {
  const isLimited = maxDollars !== undefined || maxLatencyMs !== undefined;
  let best = start;
  let slices = 0;
  for (let before: Offer | undefined; before !== best;) {
    before = best;
    const memory = before.cut.settings?.memoryMb ?? [];
    const near = nearMemories(memory, before.leastMb, maxMemoryMb);
    const exchanged = isLimited ? exchangedMemories(memory, before.leastMb, maxMemoryMb) : [];
    for (const own of [...near, ...exchanged]) {
      slices += own.length;
      if (slices > MAX_TUNED_SLICES) return best;
      const next = before.withMemory(own);
      if (next && ranking.isNearer(next, best)) best = next;
    }
  }
  return best;
}

function mayWin(
  slices: number,
  best: Offer,
  { minimize, maxSlices, slices: fixed = slices }: PlanRequest,
): boolean {
  if (slices > maxSlices || slices !== fixed) return false;
  return minimize !== 'slices' || !best.keepsLimits || slices <= best.cut.groups.length;
}

function cutsOf({ cut: { groups } }: Offer): number[] {
  let end = 0;
  return groups.slice(0, -1).map(({ length }) => (end += length));
}

/** Of at most so many legal cuts, each one is tried as a further cut; of more, the middle one of each slice. */
const MAX_ADDED = 24;

/**
 * The cuts with one moved by 1, 2, 4, ... legal places, one removed, or one added.
 *
 * @param legal ascending
 * @param cuts some of them, ascending
 */
function neighborsOf(legal: readonly number[], cuts: readonly number[]): readonly (readonly number[])[] {
  const places = cuts.map((cut) => legal.indexOf(cut));
  const slices = [-1, ...places].map((place, slice) => between(place, places[slice] ?? legal.length));
  const added =
    legal.length <= MAX_ADDED
      ? slices.flat()
      : slices.flatMap((own) => own.slice(own.length >> 1).slice(0, 1));
  const moved = places.flatMap((place, index) => {
    const [low, high] = [places[index - 1] ?? -1, places[index + 1] ?? legal.length];
    return [...distances(place - low), ...distances(high - place).map((distance) => -distance)].map(
      (distance) => places.with(index, place - distance),
    );
  });
  const removed = places.map((_, index) => places.filter((_place, other) => other !== index));
  return [...moved, ...removed, ...added.map((place) => [...places, place].sort((a, b) => a - b))].map(
    (own) => own.map((place) => legal[place]),
  );
}

function distances(limit: number): number[] {
  const found: number[] = [];
  for (let distance = 1; distance < limit; distance *= 2) found.push(distance);
  return found;
}

function between(low: number, high: number): number[] {
  return Array.from({ length: Math.max(0, high - low - 1) }, (_, index) => low + 1 + index);
}
