/** Chooses the best of the plans that a search finds, by what is printed of them. */
import type { Dataflow } from '../../dataflow/dataflow';
import { SlicedInferenceError } from '../../errors';
import type { Choice, ChosenCut, ChosenSettings, SearchedSlicer } from '../slicers/slicer';
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
import { improved } from './improve';
import { type Offer, Offers } from './offers';

/** A plan, and whether its slices are the even ones that the search prefers to plans that are a little better. */
interface Candidate extends Offer {
  readonly isEven: boolean;
  readonly space: CutSpace;
  readonly seemsWithin: boolean;
}

/** Factors on the memory of activations with which plans are searched again, if no plan fits. */
const MORE_ACTIVATIONS = 1.3;
const MOST_ACTIVATIONS = 3;

/**
 * The best of the plans that the slicer searches for, with repeated nodes, without them, and between branches.
 *
 * @param dataflow the data flow in which only constant nodes are repeated
 */
export function searchedCut(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: SearchedSlicer,
  consolidation: ConsolidationMode,
): ChosenCut {
  return new PlanChooser(cuts, slicer, new Offers(dataflow, cuts, slicer.goal, consolidation)).best();
}

class PlanChooser {
  private readonly goal: Goal;
  private readonly ranking: Ranking;

  constructor(
    private readonly cuts: CutSpace,
    private readonly slicer: SearchedSlicer,
    private readonly offers: Offers,
  ) {
    this.goal = slicer.goal;
    this.ranking = new Ranking(slicer.goal);
  }

  best(): ChosenCut {
    const found = this.candidates({});
    // If the search finds no plan within the limits, it returns the ones for other goals itself.
    const isMissed =
      found.some(({ seemsWithin }) => seemsWithin) && !found.some(({ keepsLimits }) => keepsLimits);
    const others = isMissed ? closestGoals(this.goal) : [];
    const candidates = [...found, ...others.flatMap((change) => this.candidates(change))];
    const all = [...candidates, ...this.improved(candidates)];
    const sequential = this.ranking.best(all);
    if (sequential === undefined)
      throw unreachable(
        this.goal,
        all.filter(({ tooLarge }) => tooLarge === undefined),
      );
    return this.withBranches(sequential).cut;
  }

  private improved(candidates: readonly Candidate[]): Offer[] {
    const { goal, slicer, offers, ranking } = this;
    return [...new Set(candidates.map(({ space }) => space))].flatMap((space) => {
      const start = ranking.nearest(candidates.filter((candidate) => candidate.space === space));
      const { request } = slicer.search(space);
      return improved(start, space, { goal, request }, offers, ranking);
    });
  }

  /**
   * The plans of both spaces of cuts that fit the functions' memory. A search follows the order of the file. In ONNX Runtime's order, all
   * plans that it finds may need more memory for activations: then it searches again as if they needed more.
   */
  private candidates(change: Partial<PlanRequest>, margin = 1): Candidate[] {
    const { cuts, slicer } = this;
    const found = attemptAll(spacesOf(cuts), (space) => this.candidatesOf(space, change, margin)).flat();
    const tooLarge = found.flatMap((each) => each.tooLarge ?? []);
    if (tooLarge.length < found.length) return found;
    const more = MORE_ACTIVATIONS * margin;
    const next = more > MOST_ACTIVATIONS ? undefined : attempt(() => this.candidates(change, more));
    if (next !== undefined && !(next instanceof SlicedInferenceError)) return next;
    const smallest = tooLarge.reduce((a, b) => (memoryMb(b) < memoryMb(a) ? b : a));
    const { limit } = slicer.search(cuts);
    throw new SliceTooLargeError(cuts, whole(cuts), limit, smallest, ' in the order of ONNX Runtime');
  }

  private candidatesOf(space: CutSpace, change: Partial<PlanRequest>, margin: number): Candidate[] {
    const { request: own, limit } = this.slicer.search(space, margin);
    const request = { ...own, ...change };
    const choices = new Map<string, Choice & Pick<Candidate, 'isEven' | 'seemsWithin'>>();
    const range = new RangeSearch(space, limit);
    let failed: SlicedInferenceError | undefined;
    for (const search of this.offers.searches(request)) {
      const found = attempt(() => range.plans(search));
      if (found instanceof SlicedInferenceError) {
        failed = found;
        continue;
      }
      found.forEach((choice, index) => {
        const key = choice.groups.map(([first]) => first).join(' ');
        const isEven = index === 0 || choices.get(key)?.isEven === true;
        const seemsWithin = isWithin(choice, search) || choices.get(key)?.seemsWithin === true;
        choices.set(key, { ...choice, isEven, seemsWithin });
      });
    }
    if (choices.size === 0 && failed !== undefined) throw failed;
    return [...choices.values()].flatMap((choice) => {
      const { isEven, seemsWithin } = choice;
      return this.offers.of(choice, request).map((offer) => ({ ...offer, isEven, seemsWithin, space }));
    });
  }

  private withBranches(sequential: Offer): Offer {
    const { goal, slicer } = this;
    const { groups, settings } = sequential.cut;
    if (groups.length < 2 && goal.minimize !== 'latency') return sequential;
    let best = sequential;
    for (const { space, ranges } of branchedSpaces(this.cuts)) {
      const own = attempt(() => this.groupsWithin(space, ranges));
      if (own instanceof SlicedInferenceError) continue;
      if (goal.minimize === 'slices' && own.length !== groups.length) continue;
      const { request } = slicer.search(space);
      // The limit binds the slices of all ranges together.
      if (own.length > request.maxSlices) continue;
      const offer = this.ranking.best(this.offers.of({ groups: own, settings }, request));
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

function isWithin(
  { settings }: { readonly settings?: ChosenSettings },
  { maxDollars = Infinity, maxLatencyMs = Infinity, quantile }: PlanRequest,
): boolean {
  return (
    settings !== undefined &&
    settings.cost.dollars <= maxDollars &&
    settings.cost.latency[quantile] <= maxLatencyMs
  );
}
