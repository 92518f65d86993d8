/** Tries several ways to cut a model as the slicer requests, and chooses the best one by the model of cost. */
import type { RunCost } from '../cost/cost-model';
import { SlicedInferenceError } from '../errors';
import type { NodeIndex } from '../onnx/model';
import type { BranchOrder } from './cuts/branches';
import { findBranches } from './cuts/branches';
import { checkGroups } from './cuts/check-groups';
import type { CutSpace } from './cuts/cuts';
import { findCuts } from './cuts/cuts';
import type { Dataflow } from '../dataflow/dataflow';
import { withRepeated } from '../dataflow/dataflow';
import type { Groups } from './wiring/groups';
import type { ChosenCut } from './schedule/cut-prices';
import { CutPrices } from './schedule/cut-prices';
import { EVEN_TOLERANCE } from './search/even-chain';
import type { ChosenSettings, Evenness } from './search/plan-request';
import type { Goal, Slicer } from './search/slicer';
import { DEFAULT_GOAL } from './search/slicer';
import type { WiredCut } from './wiring/wiring';
import { wireSlices } from './wiring/wiring';

export type { ChosenCut } from './schedule/cut-prices';

/** If the fewest slices are requested: share of a sequential run's time that parallel branches must save... */
const MIN_SAVED_TIME = 0.1;
/** ...and share of its dollars that they may cost in addition. */
const MAX_ADDED_COST = 0.25;
/** Otherwise: share of the dollars or of the time that they must save. Less is within the error of the estimates. */
const MIN_SAVED = 0.02;

/** Share by which the largest of a fixed number of slices may take longer if branches then run side by side. */
const MAX_ADDED_TIME = 0.25;

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
export function bestCut(dataflow: Dataflow, cuts: CutSpace, slicer: Slicer): ChosenCut {
  const chooser = new Chooser(dataflow, cuts, slicer);
  const sequential = chooser.best();
  const parallel = chooser.withBranches(sequential);
  return parallel.reduce((best, cut) => (chooser.isWorthIt(cut, best, sequential) ? cut : best), sequential);
}

class Chooser {
  private readonly goal: Goal;
  private readonly prices: CutPrices;
  /** With repeated nodes, and without. */
  private readonly spaces: readonly CutSpace[];

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly slicer: Slicer,
  ) {
    this.goal = slicer.goal ?? DEFAULT_GOAL;
    this.prices = new CutPrices(cuts, this.goal);
    this.spaces = cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
  }

  /** The better one of the cuts with and without repeated nodes. */
  best(): ChosenCut {
    const attempts = this.spaces.map((space) => attempt(() => this.chosen(space)));
    const found = attempts
      .flatMap((choice) => (choice instanceof SlicedInferenceError ? [] : [choice]))
      .reverse();
    const last = attempts[attempts.length - 1];
    if (found.length === 0 && last instanceof SlicedInferenceError) throw last;
    const best = found.reduce((first, cut) => (this.isBetter(cut, first) ? cut : first));
    return best.evenness === undefined ? best : { ...best, evenness: this.cheapestOf(found) };
  }

  /** Cuts in which no slice has nodes of two branches. */
  withBranches({ groups, settings, evenness }: ChosenCut): ChosenCut[] {
    const { slicer, goal } = this;
    if (slicer.chooseWithin === undefined || (groups.length < 2 && goal.minimize !== 'latency')) return [];
    const branches = findBranches(this.cuts.dataflow, this.cuts.bytes);
    if (branches === undefined) return [];
    const { rule, bytes, costs } = this.cuts;
    const space = findCuts({ ...this.cuts.dataflow, order: branches.order }, rule, bytes, costs);
    return cutsBetween(branches).flatMap((cuts) => {
      const legal = new Set(space.legal);
      if (!cuts.every((cut) => legal.has(cut))) return [];
      const boundaries = [0, ...cuts, branches.order.length];
      const ranges = boundaries.slice(1).map((end, index) => ({ start: boundaries[index], end }));
      const choice = attempt(() => slicer.chooseWithin?.(space, ranges, settings));
      if (choice === undefined || choice instanceof SlicedInferenceError) return [];
      if (goal.minimize === 'slices' && choice.groups.length !== groups.length) return [];
      return [
        { ...this.rescheduled(choice.groups, choice.memoryMb, settings), ...(evenness && { evenness }) },
      ];
    });
  }

  /** Whether the cut keeps the limits and runs so much better than the sequential one that branches are worth it. */
  isWorthIt(cut: ChosenCut, best: ChosenCut, sequential: ChosenCut): boolean {
    const { minimize, maxDollars = Infinity, maxLatencyMs = Infinity } = this.goal;
    const [own, before, first] = [cut, best, sequential].map((each) => this.prices.of(each).cost);
    if (own.dollars > maxDollars || this.time(own) > maxLatencyMs) return false;
    if (!this.isAboutAsEven(cut, sequential)) return false;
    switch (minimize) {
      case 'cost':
        return own.dollars < before.dollars && own.dollars <= (1 - MIN_SAVED) * first.dollars;
      case 'latency':
        return this.time(own) < this.time(before) && this.time(own) <= (1 - MIN_SAVED) * this.time(first);
      case 'slices':
        return (
          this.time(own) < this.time(before) &&
          this.time(own) <= (1 - MIN_SAVED_TIME) * this.time(first) &&
          own.dollars <= (1 + MAX_ADDED_COST) * first.dollars
        );
    }
  }

  private isBetter(cut: ChosenCut, than: ChosenCut): boolean {
    const { minimize } = this.goal;
    const [own, other] = [this.prices.of(cut), this.prices.of(than)];
    if (minimize === 'latency') return this.time(own.cost) < this.time(other.cost);
    if (minimize === 'slices' && cut.groups.length !== than.groups.length)
      return cut.groups.length < than.groups.length;
    if (cut.settings !== undefined) return own.cost.dollars < other.cost.dollars;
    if (cut.evenness === undefined || than.evenness === undefined) return own.movedBytes < other.movedBytes;
    const mostBytes = Math.min(cut.evenness.mostBytes, than.evenness.mostBytes);
    const isNear = own.movedBytes <= mostBytes;
    if (isNear !== other.movedBytes <= mostBytes) return isNear;
    if (own.memoryMb !== other.memoryMb) return own.memoryMb < other.memoryMb;
    if (own.nearEmpty !== other.nearEmpty) return own.nearEmpty < other.nearEmpty;
    const [least, most] = [own.mostMs, other.mostMs].sort((a, b) => a - b);
    return most > (1 + EVEN_TOLERANCE) * least
      ? own.mostMs < other.mostMs
      : own.movedBytes < other.movedBytes;
  }

  /** Whether slices with branches share the work about as evenly as the sequential ones, and move few bytes; true if that is no goal. */
  private isAboutAsEven(cut: ChosenCut, sequential: ChosenCut): boolean {
    if (sequential.evenness === undefined) return true;
    const [own, other] = [this.prices.of(cut), this.prices.of(sequential)];
    return (
      own.movedBytes <= sequential.evenness.mostBytes &&
      own.memoryMb <= other.memoryMb &&
      own.nearEmpty <= other.nearEmpty &&
      own.mostMs <= (1 + MAX_ADDED_TIME) * other.mostMs
    );
  }

  /** Of cuts into a fixed number of slices: what the even ones are compared with. */
  private cheapestOf(cuts: readonly ChosenCut[]): Evenness<WiredCut> | undefined {
    const dollars = ({ cheapest }: Evenness<WiredCut>): number => this.prices.of(cheapest).cost.dollars;
    return cuts
      .flatMap(({ evenness }) => evenness ?? [])
      .reduce((best, next) => (dollars(next) < dollars(best) ? next : best));
  }

  private chosen(space: CutSpace): ChosenCut {
    const { groups, settings, quality, evenness } = this.slicer.choose(space);
    return {
      ...this.wired(groups),
      ...(settings && { settings }),
      ...(quality && { quality }),
      ...(evenness && { evenness: { ...evenness, cheapest: this.wired(evenness.cheapest) } }),
    };
  }

  /** The cut with the settings of the sequential one, priced by its own schedule. */
  private rescheduled(
    groups: Groups,
    memory: readonly number[] | undefined,
    settings?: ChosenSettings,
  ): ChosenCut {
    const cut = this.wired(groups);
    if (settings === undefined || memory === undefined) return cut;
    const chosen = { ...settings, memoryMb: memory };
    const { totals, cost } = this.prices.run(cut, chosen);
    return { ...cut, settings: { ...chosen, totals, cost } };
  }

  private wired(groups: Groups): WiredCut {
    const dataflow = withRepeated(this.dataflow, unassignedNodes(this.dataflow, groups));
    checkGroups(dataflow, this.cuts.rule, groups);
    return { dataflow, groups, wiring: wireSlices(dataflow, groups) };
  }

  private time({ latency }: RunCost): number {
    return latency[this.goal.quantile];
  }
}

/** Two lists of cuts: the node that joins the branches is in one slice with the last branch, or in its own slice. */
function cutsBetween({ branchStarts, joins }: BranchOrder): number[][] {
  const withJoins = [...new Set([...branchStarts, ...joins])].sort((a, b) => a - b);
  return withJoins.length > branchStarts.length ? [[...branchStarts], withJoins] : [[...branchStarts]];
}

function attempt<T>(choose: () => T): T | SlicedInferenceError {
  try {
    return choose();
  } catch (error) {
    if (error instanceof SlicedInferenceError) return error;
    throw error;
  }
}

/** The cheap nodes in no group. They may differ from the nodes that `cuts` repeats, if the groups are from a plan. */
function unassignedNodes({ order, isCheap }: Dataflow, groups: Groups): Set<NodeIndex> {
  const assigned = new Set(groups.flat());
  return new Set(order.filter((node) => isCheap[node] && !assigned.has(node)));
}
