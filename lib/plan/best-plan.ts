/** Chooses the best of the plans that a search finds, by what is printed of them. */
import type { Dataflow } from '../dataflow/dataflow';
import { SlicedInferenceError } from '../errors';
import { branchedSpaces } from './cuts/branches';
import type { CutSpace } from './cuts/cuts';
import { areBranchesWorthwhile } from './schedule/branch-worth';
import type { ChosenCut } from './schedule/cut-prices';
import type { Offer } from './schedule/offers';
import { Offers } from './schedule/offers';
import type { ConsolidationMode } from './schedule/whole-model';
import { candidatePlans } from './search/optimal-slices';
import type { Choice, PlanRequest } from './search/plan-request';
import { neighborsOf } from './search/neighbors';
import { split, whole } from './search/partition';
import { SETTLED_TOLERANCE } from './search/settle';
import type { Goal, SearchedSlicer } from './search/slicer';
import { unreachable } from './search/unreachable';
import { memoryMb } from './sizes/estimate';

/** A plan, and whether its slices are the even ones that the search prefers to plans that are a little better. */
interface Candidate extends Offer {
  readonly isEven: boolean;
  readonly space: CutSpace;
  /** Whether it keeps the limits by what the search knows. */
  readonly seemsWithin: boolean;
}

/** Factors on the memory of activations with which plans are searched again, if no plan fits. */
const MORE_ACTIVATIONS = 1.3;
const MOST_ACTIVATIONS = 3;

/** The nodes and the slices of all plans that are tried to improve a plan, so that it takes a second at most. */
const MAX_TRIED_NODES = 100_000;
const MAX_TRIED_SLICES = 400;

/** Steps in a row that may find no better plan: parallel branches may need several cuts. */
const MAX_FAILURES = 3;

/**
 * The best of the plans that the slicer searches for, with repeated nodes, without them, and between branches.
 *
 * @param dataflow the data flow in which only constant nodes are repeated
 * @throws SlicedInferenceError if the search finds no plan, or none that keeps the limits
 */
export function bestPlan(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: SearchedSlicer,
  consolidation: ConsolidationMode,
): ChosenCut {
  return new PlanChooser(cuts, slicer, new Offers(dataflow, cuts, slicer.goal, consolidation)).best();
}

/** Of a plan that no search found. */
const CHANGED = { isEven: false, seemsWithin: true };

class PlanChooser {
  private readonly goal: Goal;

  constructor(
    private readonly cuts: CutSpace,
    private readonly slicer: SearchedSlicer,
    private readonly offers: Offers,
  ) {
    this.goal = slicer.goal;
  }

  best(): ChosenCut {
    const found = this.candidates({});
    // If the search finds no plan within the limits, it returns the ones for other goals itself.
    const isMissed =
      found.some(({ seemsWithin }) => seemsWithin) && !found.some(({ keepsLimits }) => keepsLimits);
    const candidates = isMissed ? this.nearest(found) : found;
    const improved = [...candidates, ...this.improved(candidates)];
    const sequential = this.bestOf(improved);
    if (sequential === undefined)
      throw unreachable(
        this.goal,
        improved.filter(({ tooLarge }) => tooLarge === undefined),
      );
    return this.withBranches(sequential).cut;
  }

  /**
   * Plans near the best ones of both spaces, by what is printed of them: the search sees loads and branches side by side only roughly.
   * Each step goes to the best plan with another cut that was not tried before.
   */
  private improved(candidates: readonly Candidate[]): Candidate[] {
    return [...new Set(candidates.map(({ space }) => space))].flatMap((space) => {
      const own = candidates.filter((candidate) => candidate.space === space);
      return this.improvedIn(space, this.nearestOf(own));
    });
  }

  private improvedIn(space: CutSpace, start: Candidate): Candidate[] {
    const { request } = this.slicer.search(space);
    const most = MAX_TRIED_NODES / space.dataflow.order.length;
    const all: Candidate[] = [];
    const tried = new Set([cutsOf(start.cut).join(' ')]);
    let [from, best] = [start, start];
    let slices = 0;
    for (let failures = 0; failures <= MAX_FAILURES;) {
      const next: Candidate[] = [];
      for (const cuts of neighborsOf(space.legal, cutsOf(from.cut))) {
        const key = cuts.join(' ');
        if (tried.has(key) || !this.mayWin(cuts.length + 1, best, request)) continue;
        if (tried.size > most || slices > MAX_TRIED_SLICES) break;
        tried.add(key);
        slices += cuts.length + 1;
        const { settings, quality } = from.cut;
        const choice = { settings, quality, groups: split(space, cuts, whole(space)) };
        const offers = this.offers.of(choice, request, 'coarse');
        next.push(...offers.map((offer) => ({ ...offer, ...CHANGED, space })));
      }
      if (next.length === 0) break;
      const { groups, settings, quality } = this.nearestOf(next).cut;
      const offers = this.offers.of({ groups, settings, quality }, request);
      next.push(...offers.map((offer) => ({ ...offer, ...CHANGED, space })));
      all.push(...next);
      from = this.nearestOf(next);
      failures = this.isNearer(from, best) ? 0 : failures + 1;
      if (failures === 0) best = from;
    }
    return all;
  }

  private nearestOf(candidates: readonly Candidate[]): Candidate {
    return candidates.reduce((a, b) => (this.isNearer(b, a) ? b : a));
  }

  private mayWin(
    slices: number,
    best: Candidate,
    { maxSlices, slices: fixed = slices }: PlanRequest,
  ): boolean {
    if (slices > maxSlices || slices !== fixed) return false;
    return this.goal.minimize !== 'slices' || !best.keepsLimits || slices <= best.cut.groups.length;
  }

  /**
   * The plans of both spaces of cuts that fit the functions' memory. A search follows the order of the file. In ONNX Runtime's order, all
   * plans that it finds may need more memory for activations: then it searches again as if they needed more.
   */
  private candidates(change: Partial<PlanRequest>, margin = 1): Candidate[] {
    const { cuts, slicer } = this;
    const spaces = cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
    const attempts = spaces.map((space) => attempt(() => this.candidatesOf(space, change, margin)));
    const last = attempts[attempts.length - 1];
    const found = attempts.flatMap((each) => (each instanceof SlicedInferenceError ? [] : each));
    if (found.length === 0 && last instanceof SlicedInferenceError) throw last;
    const tooLarge = found.flatMap((each) => each.tooLarge ?? []);
    if (tooLarge.length < found.length) return found;
    const more = MORE_ACTIVATIONS * margin;
    const next = more > MOST_ACTIVATIONS ? undefined : attempt(() => this.candidates(change, more));
    if (next !== undefined && !(next instanceof SlicedInferenceError)) return next;
    const smallest = tooLarge.reduce((a, b) => (memoryMb(b) < memoryMb(a) ? b : a));
    const { limit, got, advice } = slicer.search(cuts).limit.describe(smallest);
    throw new SlicedInferenceError(`each slice must ${limit}`, `${got} in the order of ONNX Runtime`, advice);
  }

  private candidatesOf(space: CutSpace, change: Partial<PlanRequest>, margin: number): Candidate[] {
    const { request: own, limit } = this.slicer.search(space, margin);
    const request = { ...own, ...change };
    const choices = new Map<string, Choice & Pick<Candidate, 'isEven' | 'seemsWithin'>>();
    let failed: SlicedInferenceError | undefined;
    for (const search of this.offers.searches(request)) {
      const found = attempt(() => candidatePlans(space, search, limit));
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
    return [...choices.values()].flatMap((choice) =>
      this.offers.of(choice, request).map((offer) => ({
        ...offer,
        isEven: choice.isEven,
        seemsWithin: choice.seemsWithin,
        space,
      })),
    );
  }

  /** With plans for other goals, if no plan that was found for this one keeps the limits. */
  private nearest(candidates: readonly Candidate[]): readonly Candidate[] {
    const { maxDollars } = this.goal;
    const unlimited = { maxLatencyMs: undefined, maxDollars: undefined };
    return [
      ...candidates,
      ...this.candidates({ ...unlimited, minimize: 'latency' }),
      ...(maxDollars === undefined ? [] : this.candidates({ ...unlimited, maxDollars, minimize: 'latency' })),
      ...this.candidates({ ...unlimited, minimize: 'cost' }),
    ];
  }

  /** The best one that keeps the limits, or an even one that is hardly worse. */
  private bestOf(candidates: readonly Candidate[]): Candidate | undefined {
    const kept = candidates.filter(({ keepsLimits }) => keepsLimits);
    if (kept.length === 0) return undefined;
    const best = kept.reduce((a, b) => (this.isBetter(b, a) ? b : a));
    const near = kept.filter((each) => each.isEven && this.isNear(each, best));
    return near.length === 0 ? best : near.reduce((a, b) => (this.isBetter(b, a) ? b : a));
  }

  private isNear({ cut, cost }: Candidate, best: Candidate): boolean {
    return (
      cut.groups.length === best.cut.groups.length &&
      cost.dollars <= (1 + SETTLED_TOLERANCE) * best.cost.dollars &&
      this.time(cost) <= (1 + SETTLED_TOLERANCE) * this.time(best.cost)
    );
  }

  /** Whether it is nearer to the limits, or better and within them. */
  private isNearer(a: Candidate, b: Candidate): boolean {
    const [own, other] = [this.excess(a), this.excess(b)];
    return own === other ? this.isBetter(a, b) : own < other;
  }

  /** By which share the plan is beyond the limits. */
  private excess({ keepsLimits, tooLarge, cost }: Candidate): number {
    if (keepsLimits) return 0;
    if (tooLarge) return Infinity;
    const { maxLatencyMs = Infinity, maxDollars = Infinity } = this.goal;
    return Math.max(this.time(cost) / maxLatencyMs, cost.dollars / maxDollars) - 1;
  }

  private isBetter(a: Offer, b: Offer): boolean {
    const [keysOfA, keysOfB] = [this.keys(a), this.keys(b)];
    const decisive = keysOfA.findIndex((key, index) => key !== keysOfB[index]);
    return decisive >= 0 && keysOfA[decisive] < keysOfB[decisive];
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

  /** The plan, or one in which no slice has nodes of two branches, if it is so much better that branches are worth it. */
  private withBranches(sequential: Candidate): Candidate {
    const { goal, slicer } = this;
    const { groups, settings } = sequential.cut;
    if (groups.length < 2 && goal.minimize !== 'latency') return sequential;
    let best = sequential;
    for (const { space, ranges } of branchedSpaces(this.cuts)) {
      const choice = attempt(() => slicer.chooseWithin(space, ranges, settings));
      if (choice instanceof SlicedInferenceError) continue;
      if (goal.minimize === 'slices' && choice.groups.length !== groups.length) continue;
      const { request } = slicer.search(space);
      // The limit binds the slices of all ranges together.
      if (choice.groups.length > request.maxSlices) continue;
      const offers = this.offers.of({ groups: choice.groups, settings }, request);
      const own = this.bestOf(offers.map((offer) => ({ ...offer, ...CHANGED, space })));
      if (own && areBranchesWorthwhile(goal, own.cost, best.cost, sequential.cost)) best = own;
    }
    return best;
  }

  private time({ latency }: Offer['cost']): number {
    return latency[this.goal.quantile];
  }
}

function isWithin(
  { settings }: Choice,
  { maxDollars = Infinity, maxLatencyMs = Infinity, quantile }: PlanRequest,
): boolean {
  return (
    settings !== undefined &&
    settings.cost.dollars <= maxDollars &&
    settings.cost.latency[quantile] <= maxLatencyMs
  );
}

/** The positions before which the slices after the first one begin. */
function cutsOf({ groups }: Pick<ChosenCut, 'groups'>): number[] {
  let end = 0;
  return groups.slice(0, -1).map(({ length }) => (end += length));
}

/** @returns the error of planning, if there is one */
export function attempt<T>(choose: () => T): T | SlicedInferenceError {
  try {
    return choose();
  } catch (error) {
    if (error instanceof SlicedInferenceError) return error;
    throw error;
  }
}
