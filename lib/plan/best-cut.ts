/** Tries several ways to cut a model as the slicer requests, and chooses the best one by the model of cost. */
import { SlicedInferenceError } from '../errors';
import type { Dataflow } from '../dataflow/dataflow';
import { smallestOf } from '../extremes';
import { attempt, bestPlan } from './best-plan';
import { branchedSpaces } from './cuts/branches';
import type { CutSpace } from './cuts/cuts';
import { wireGroups } from './cuts/wire-groups';
import { areBranchesWorthwhile } from './schedule/branch-worth';
import type { ChosenCut, PricedCut } from './schedule/cut-prices';
import { CutPrices } from './schedule/cut-prices';
import type { ConsolidationMode, WholeCut } from './schedule/whole-model';
import { besideSlices, isWorthwhile, wholeModel } from './schedule/whole-model';
import type { Caps } from './search/plan-request';
import type { Slicer } from './search/slicer';
import { DEFAULT_GOAL, isSearched } from './search/slicer';
import { mostForWorth } from './search/worth';
import { memoryMb } from './sizes/estimate';
import { sliceSizes } from './sizes/slice-sizes';
import type { Groups } from './wiring/groups';
import type { WiredCut } from './wiring/wiring';

export type { ChosenCut } from './schedule/cut-prices';

/** Cuts whose bytes differ by at most this share are told apart by their evenness. */
const NEAR_BYTES = 0.02;

/** Prices whose sums were made in another order differ by less, as a share. */
const ROUNDING = 1e-9;

/**
 * The best of the cuts that the slicer chooses with repeated nodes, without them, and between branches.
 *
 * `cuts` decided value by value what to recompute, so it may move more bytes in total than `cuts.withoutRepeats`. A size
 * limit may also allow no cut with repeated nodes but one without them. Cuts between branches of a model let the branches
 * run in parallel.
 *
 * @param dataflow the data flow in which only constant nodes are repeated
 * @throws SlicedInferenceError if the slicer finds no cut, or if its cut would change the results
 */
export function bestCut(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: Slicer,
  consolidation: ConsolidationMode = 'never',
): ChosenCut {
  if (isSearched(slicer)) return bestPlan(dataflow, cuts, slicer, consolidation);
  const chooser = new Chooser(dataflow, cuts, slicer);
  const sequential = chooser.best();
  const parallel = chooser.withBranches(sequential);
  const best = parallel.reduce(
    (found, cut) => (chooser.isWorthIt(cut, found, sequential) ? cut : found),
    sequential,
  );
  const whole = wholeBeside(dataflow, cuts, best, consolidation);
  return whole ? { ...best, whole } : best;
}

/** The whole model, if a pipeline with these slices also has it. One slice is the whole model already. */
function wholeBeside(
  dataflow: Dataflow,
  cuts: CutSpace,
  cut: WiredCut,
  mode: ConsolidationMode,
): WholeCut | undefined {
  if (mode === 'never' || cut.groups.length === 1) return undefined;
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  const memory = sizes.map(memoryMb);
  const whole = besideSlices(wholeModel(dataflow, cuts), memory);
  const { options } = cuts.costs.model();
  return mode === 'always' || isWorthwhile(whole, sizes, memory, options, {}) ? whole : undefined;
}

class Chooser {
  private readonly prices: CutPrices;
  /** With repeated nodes, and without. */
  private readonly spaces: readonly CutSpace[];
  /** The simple ways to cut, and the least that any of them moves and costs. */
  private readonly simple: readonly ChosenCut[];
  private readonly caps: Caps | undefined;

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly slicer: Slicer,
  ) {
    this.prices = new CutPrices(cuts);
    this.spaces = cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
    this.simple = this.spaces.flatMap((space) =>
      (slicer.baselines?.(space) ?? []).map((groups) => this.wired(groups)),
    );
    const simple = this.simple.map((cut) => this.prices.of(cut));
    this.caps =
      simple.length === 0
        ? undefined
        : {
            movedBytes: smallestOf(simple.map(({ movedBytes }) => movedBytes)),
            dollars: smallestOf(simple.map(({ cost }) => cost.dollars)),
          };
  }

  /** The better one of the cuts with and without repeated nodes. */
  best(): ChosenCut {
    const attempts = this.spaces.map((space) => attempt(() => this.chosen(space)));
    const found = attempts
      .flatMap((choice) => (choice instanceof SlicedInferenceError ? [] : [choice]))
      .reverse();
    const last = attempts[attempts.length - 1];
    if (found.length === 0 && last instanceof SlicedInferenceError) throw last;
    const best = this.bestOf(found);
    // The search prices chains of slices. A simple way whose branches run side by side may be cheaper than that.
    return this.excess(best) > 0 ? this.bestOf([best, ...this.simple]) : best;
  }

  /** Cuts in which no slice has nodes of two branches. */
  withBranches({ groups }: ChosenCut): ChosenCut[] {
    const { slicer } = this;
    if (slicer.chooseWithin === undefined || groups.length < 2) return [];
    return branchedSpaces(this.cuts).flatMap(({ space, ranges }) => {
      const choice = attempt(() => slicer.chooseWithin?.(space, ranges));
      if (choice === undefined || choice instanceof SlicedInferenceError) return [];
      return choice.groups.length === groups.length ? [this.wired(choice.groups)] : [];
    });
  }

  /** Whether the cut runs so much better than the sequential one that branches are worth it. */
  isWorthIt(cut: ChosenCut, best: ChosenCut, sequential: ChosenCut): boolean {
    if (this.excess(cut) > this.excess(sequential)) return false;
    const [own, before, first] = [cut, best, sequential].map((each) => this.prices.of(each).cost);
    return areBranchesWorthwhile(DEFAULT_GOAL, own, before, first);
  }

  private bestOf(cuts: readonly ChosenCut[]): ChosenCut {
    return cuts.reduce((best, cut) => (this.isBetter(cut, best) ? cut : best));
  }

  private isBetter(cut: ChosenCut, than: ChosenCut): boolean {
    if (cut.groups.length !== than.groups.length) return cut.groups.length < than.groups.length;
    const [own, other] = [this.prices.of(cut), this.prices.of(than)];
    const [excess, ofOther] = [this.excess(cut), this.excess(than)];
    if (excess !== ofOther) return excess < ofOther;
    if (own.worthless < other.worthless) return isNearEnough(own, other, cut.groups.length);
    if (own.worthless > other.worthless) return !isNearEnough(other, own, cut.groups.length);
    const isNear = Math.abs(own.movedBytes - other.movedBytes) <= NEAR_BYTES * other.movedBytes;
    return isNear ? own.unevenness < other.unevenness : own.movedBytes < other.movedBytes;
  }

  /** By what share the cut moves or costs more than the simple ways to cut; 0 if it does not. */
  private excess(cut: ChosenCut): number {
    if (this.caps === undefined) return 0;
    const { movedBytes, cost } = this.prices.of(cut);
    const share = (own: number, cap: number): number => (own <= cap * (1 + ROUNDING) ? 0 : own / cap - 1);
    return Math.max(share(movedBytes, this.caps.movedBytes), share(cost.dollars, this.caps.dollars));
  }

  private chosen(space: CutSpace): ChosenCut {
    const { groups, quality } = this.slicer.choose(space, this.caps);
    return { ...this.wired(groups), ...(quality && { quality }) };
  }

  private wired(groups: Groups): WiredCut {
    return wireGroups(this.dataflow, this.cuts.rule, groups);
  }
}

/** Whether the cut with more worthwhile slices moves and costs little enough to be preferred to the other one. */
function isNearEnough({ movedBytes, cost }: PricedCut, other: PricedCut, slices: number): boolean {
  const most = mostForWorth(other.movedBytes, other.cost, slices);
  return movedBytes <= most.movedBytes && cost.dollars <= most.dollars;
}
