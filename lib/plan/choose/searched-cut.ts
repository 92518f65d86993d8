/** Chooses the best of the plans that are found, by what is printed of them. */
import type { Dataflow } from '../../dataflow/dataflow';
import { SlicedInferenceError } from '../../errors';
import type { ChosenCut, SearchedSlicer } from '../slicers/slicer';
import { branchedSpaces } from '../cuts/branches';
import { type CutSpace, spacesOf } from '../cuts/cuts';
import type { Range } from '../cuts/range-sizes';
import { type Goal, type PlanRequest, closestGoals } from '../goal';
import { whole } from '../search/cut-graph';
import type { ConsolidationMode } from '../pricing/price';
import { memoryMb } from '../sizes/estimate';
import { RangeSearch } from '../slicers/range-search';
import { SliceTooLargeError } from '../slicers/too-large';
import type { Groups } from '../wiring/wiring';
import { attempt, attemptAll, Ranking, areBranchesWorthwhile, unreachable } from './ranking';
import { improved, tuned } from './improve';
import { type Offer, Offers } from './offers';

/** A plan, and the cuts of which it has some. */
interface Candidate extends Offer {
  readonly space: CutSpace;
}

/** Factors on the memory of activations with which plans are searched again, if no plan fits. */
const MORE_ACTIVATIONS = 1.3;
const MOST_ACTIVATIONS = 3;

/** The nodes of all plans that are priced as a start, so that it takes a second at most. */
const MAX_START_NODES = 160_000;
const MAX_STARTS = 60;

/** From so many plans of different numbers of slices, or of different cuts if the number is fixed, single moves look for better ones. */
const MOST_IMPROVED = 3;
/** Of larger graphs, pricing a plan takes so long that only the best one is a start. */
const MANY_NODES = 3000;

/**
 * The best of the plans that are found with repeated nodes, without them, and between branches.
 *
 * @param dataflow the data flow in which only constant nodes are repeated
 */
export function searchedCut(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: SearchedSlicer,
  consolidation: ConsolidationMode,
): ChosenCut {
  return new PlanChooser(dataflow, cuts, slicer, consolidation).best();
}

class PlanChooser {
  private readonly goal: Goal;
  private readonly ranking: Ranking;
  private readonly offers: Offers;
  /** The latest search of each space. */
  private readonly searches = new Map<CutSpace, RangeSearch>();

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly slicer: SearchedSlicer,
    private readonly consolidation: ConsolidationMode,
    private readonly change: Partial<Goal> = {},
  ) {
    this.goal = { ...slicer.goal, ...change };
    this.ranking = new Ranking(this.goal);
    this.offers = new Offers(dataflow, cuts, this.goal, consolidation);
  }

  best(): ChosenCut {
    const found = this.explored();
    const best = this.ranking.best(found) ?? this.closest(found);
    return this.withBranches(this.settled(best)).cut;
  }

  /** Plans for other goals, of which one may keep the limits of this one after all. */
  private closest(found: readonly Candidate[]): Candidate {
    const { dataflow, cuts, slicer, consolidation, offers, ranking } = this;
    const others = closestGoals(this.goal).flatMap((change) =>
      new PlanChooser(dataflow, cuts, slicer, consolidation, change).explored(),
    );
    const all = [
      ...found,
      ...others.map((other) => ({ ...other, keepsLimits: !other.tooLarge && offers.keeps(other.cost) })),
    ].filter(({ tooLarge }) => tooLarge === undefined);
    const best = ranking.best(all);
    if (best === undefined) throw unreachable(this.goal, all);
    return best;
  }

  private explored(): Candidate[] {
    const candidates = this.candidates();
    return [...candidates, ...this.improved(candidates)];
  }

  private improved(candidates: readonly Candidate[]): Candidate[] {
    const { offers, ranking } = this;
    const moved = [...new Set(candidates.map(({ space }) => space))].flatMap((space) => {
      const request = this.requestOf(space);
      const own = candidates.filter((candidate) => candidate.space === space);
      const starts = this.starts(own, ({ cut }) => (request.slices ? keyOf(cut) : cut.groups.length))
        .map(({ cut }) => ranking.nearest(offers.of(cut, request)))
        .sort((a, b) => (ranking.isNearer(a, b) ? -1 : 1));
      const most = space.dataflow.order.length > MANY_NODES ? 1 : MOST_IMPROVED;
      return starts
        .flatMap((start, index) => [
          start,
          ...(index < most ? improved(start, space, request, offers, ranking) : []),
        ])
        .map((offer) => ({ ...offer, space }));
    });
    const best = ranking.nearest([...candidates, ...moved]);
    return [...moved, { ...tuned(best, this.requestOf(best.space), ranking), space: best.space }];
  }

  /** The nearest candidates of which no two have the same key. */
  private starts(own: readonly Candidate[], key: (one: Candidate) => unknown): Candidate[] {
    const nearest = new Map<unknown, Candidate>();
    for (const candidate of own) {
      const known = nearest.get(key(candidate));
      if (!known || this.ranking.isNearer(candidate, known)) nearest.set(key(candidate), candidate);
    }
    return [...nearest.values()]
      .sort((a, b) => (this.ranking.isNearer(a, b) ? -1 : 1))
      .slice(0, MOST_IMPROVED);
  }

  private requestOf(space: CutSpace, margin?: number): PlanRequest {
    return { ...this.slicer.search(space, margin).request, ...this.change };
  }

  /**
   * The plans of both spaces of cuts that fit the functions' memory. A search follows the order of the file. In ONNX Runtime's order, all
   * plans that it finds may need more memory for activations: then it searches again as if they needed more.
   */
  private candidates(margin = 1): Candidate[] {
    const { cuts, slicer } = this;
    const found = attemptAll(spacesOf(cuts), (space) => this.candidatesOf(space, margin)).flat();
    const tooLarge = found.flatMap((each) => each.tooLarge ?? []);
    if (tooLarge.length < found.length) return found;
    const more = MORE_ACTIVATIONS * margin;
    const next = more > MOST_ACTIVATIONS ? undefined : attempt(() => this.candidates(more));
    if (next !== undefined && !(next instanceof SlicedInferenceError)) return next;
    const smallest = tooLarge.reduce((a, b) => (memoryMb(b) < memoryMb(a) ? b : a));
    const { limit } = slicer.search(cuts);
    throw new SliceTooLargeError(cuts, whole(cuts), limit, smallest, ' in the order of ONNX Runtime');
  }

  private candidatesOf(space: CutSpace, margin: number): Candidate[] {
    const request = this.requestOf(space, margin);
    const range = new RangeSearch(space, this.slicer.search(space, margin).limit);
    this.searches.set(space, range);
    const found = range.plans(request);
    const ofCold = this.offers.mayHaveWhole ? range.plans({ ...request, temperature: 'cold' }) : [];
    const choices = (found.length > ofCold.length ? found : ofCold)
      .flatMap((_, index) => [...found.slice(index, index + 1), ...ofCold.slice(index, index + 1)])
      .map((choice) => [keyOf(choice), choice] as const);
    const most = Math.min(MAX_STARTS, Math.ceil(MAX_START_NODES / space.dataflow.order.length));
    return [...new Map(choices).values()]
      .slice(0, most)
      .flatMap((choice) => this.offers.of(choice, request, 'coarse'))
      .map((offer) => ({ ...offer, space }));
  }

  /** The most even plan that is hardly worse, so that cuts stay in place when a size changes a little. */
  private settled(best: Candidate): Candidate {
    const { space } = best;
    const { quality, groups } = best.cut;
    if (groups.length === 1) return best;
    const request = this.requestOf(space);
    const evenPlans = this.searches.get(space)?.evenPlans(request, groups.length) ?? [];
    for (const even of evenPlans) {
      const own = this.offers.of({ groups: even.groups, quality }, request);
      const next = tuned(this.ranking.nearest(own), request, this.ranking);
      if (this.ranking.isAsGood(next, best)) return { ...next, space };
    }
    return best;
  }

  private withBranches(sequential: Offer): Offer {
    const { goal, slicer } = this;
    const { groups } = sequential.cut;
    if (groups.length < 2 && goal.minimize !== 'latency') return sequential;
    let best = sequential;
    for (const { space, ranges } of branchedSpaces(this.cuts)) {
      const own = attempt(() => this.groupsWithin(space, ranges));
      if (own instanceof SlicedInferenceError) continue;
      if (goal.minimize === 'slices' && own.length !== groups.length) continue;
      const { request } = slicer.search(space);
      // The limit binds the slices of all ranges together.
      if (own.length > request.maxSlices) continue;
      const offer = this.ranking.best(this.offers.of({ groups: own }, request));
      if (offer && areBranchesWorthwhile(goal, offer.cost, best.cost, sequential.cost)) best = offer;
    }
    return best;
  }

  /** Slices that each lie within one of the ranges. Limits on time and cost bind the whole plan, not each range. */
  private groupsWithin(space: CutSpace, ranges: readonly Range[]): Groups {
    const { request, limit } = this.slicer.search(space);
    const ofRange = { ...request, maxLatencyMs: undefined, maxDollars: undefined };
    return ranges.flatMap((range) => new RangeSearch(space, limit, range).plans(ofRange)[0].groups);
  }
}

function keyOf({ groups }: { readonly groups: Groups }): string {
  return groups.map(([first]) => first).join(' ');
}
