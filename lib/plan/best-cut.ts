/** Tries several ways to cut a model as the slicer requests, and chooses the best one by the model of cost. */
import type { RunCost } from '../cost/cost-model';
import { SlicedInferenceError } from '../errors';
import type { NodeIndex } from '../onnx/model';
import type { BranchOrder } from './cuts/branches';
import { findBranches } from './cuts/branches';
import { checkGroups } from './cuts/check-groups';
import type { CutSpace } from './cuts/cuts';
import { findCuts } from './cuts/cuts';
import type { SliceSize } from './sizes/estimate';
import { memoryMb, threadCount } from './sizes/estimate';
import type { Dataflow } from '../dataflow/dataflow';
import { withRepeated } from '../dataflow/dataflow';
import type { Groups } from './wiring/groups';
import type { PricedRun, SliceSettings } from './schedule/price';
import { priceSchedule } from './schedule/price';
import { scheduleSlices } from './schedule/schedule';
import { sliceSizes } from './sizes/slice-sizes';
import type { ChosenSettings } from './search/plan-request';
import type { Goal, Slicer } from './search/slicers';
import { DEFAULT_GOAL } from './search/slicers';
import { TOLERANCE } from './search/settle';
import type { WiredCut } from './wiring/wiring';
import { wireSlices } from './wiring/wiring';
import { largestOf } from '../extremes';

/** Slices, and the settings of their functions if the slicer chose these too. */
export interface ChosenCut extends WiredCut {
  readonly settings?: ChosenSettings;
}

/** If the fewest slices are requested: share of a sequential run's time that parallel branches must save... */
const MIN_SAVED_TIME = 0.1;
/** ...and share of its dollars that they may cost in addition. */
const MAX_ADDED_COST = 0.25;

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

/** A cut with its bytes moved, and its price and time by the schedule of its slices. */
interface PricedCut {
  readonly cut: ChosenCut;
  readonly movedBytes: number;
  readonly cost: RunCost;
}

class Chooser {
  private readonly known = new Map<ChosenCut, PricedCut>();
  private readonly goal: Goal;

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly slicer: Slicer,
  ) {
    this.goal = slicer.goal ?? DEFAULT_GOAL;
  }

  /** The better one of the cuts with and without repeated nodes. */
  best(): ChosenCut {
    const { cuts } = this;
    const { withoutRepeats } = cuts;
    if (withoutRepeats === undefined) return this.chosen(cuts);
    const repeating = attempt(() => this.chosen(cuts));
    const plain = attempt(() => this.chosen(withoutRepeats));
    if (plain instanceof SlicedInferenceError) {
      if (repeating instanceof SlicedInferenceError) throw plain;
      return repeating;
    }
    return !(repeating instanceof SlicedInferenceError) && this.isBetter(repeating, plain)
      ? repeating
      : plain;
  }

  /** Cuts in which no slice has nodes of two branches. */
  withBranches({ groups, settings }: ChosenCut): ChosenCut[] {
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
      return [this.rescheduled(choice.groups, choice.memoryMb, settings)];
    });
  }

  /** Whether the cut keeps the limits and runs so much better than the sequential one that branches are worth it. */
  isWorthIt(cut: ChosenCut, best: ChosenCut, sequential: ChosenCut): boolean {
    const { minimize, maxDollars = Infinity, maxLatencyMs = Infinity } = this.goal;
    const [own, before, first] = [cut, best, sequential].map((each) => this.priced(each).cost);
    if (own.dollars > maxDollars || this.time(own) > maxLatencyMs) return false;
    switch (minimize) {
      case 'cost':
        return own.dollars < before.dollars && own.dollars <= (1 - TOLERANCE) * first.dollars;
      case 'latency':
        return this.time(own) < this.time(before) && this.time(own) <= (1 - TOLERANCE) * this.time(first);
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
    const [own, other] = [this.priced(cut), this.priced(than)];
    if (minimize === 'latency') return this.time(own.cost) < this.time(other.cost);
    if (minimize === 'slices' && cut.groups.length !== than.groups.length)
      return cut.groups.length < than.groups.length;
    return cut.settings === undefined
      ? own.movedBytes < other.movedBytes
      : own.cost.dollars < other.cost.dollars;
  }

  private chosen(space: CutSpace): ChosenCut {
    const { groups, settings } = this.slicer.choose(space);
    return { ...this.wired(groups), ...(settings && { settings }) };
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
    const { totals, cost } = this.price(cut, chosen, this.sizesOf(cut));
    return { ...cut, settings: { ...chosen, totals, cost } };
  }

  private wired(groups: Groups): WiredCut {
    const dataflow = withRepeated(this.dataflow, unassignedNodes(this.dataflow, groups));
    checkGroups(dataflow, this.cuts.rule, groups);
    return { dataflow, groups, wiring: wireSlices(dataflow, groups) };
  }

  private priced(cut: ChosenCut): PricedCut {
    const known = this.known.get(cut);
    if (known !== undefined) return known;
    const sizes = this.sizesOf(cut);
    const least = sizes.map(memoryMb);
    const settings: SliceSettings = cut.settings ?? {
      memoryMb: least,
      threads: threadCount(largestOf(least)),
      transport: 's3-standard',
    };
    const movedBytes = sizes.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0);
    const priced = { cut, movedBytes, cost: this.price(cut, settings, sizes).cost };
    this.known.set(cut, priced);
    return priced;
  }

  private price({ wiring }: WiredCut, settings: SliceSettings, sizes: readonly SliceSize[]): PricedRun {
    const { goal } = this;
    const { costs } = this.cuts;
    const schedule = scheduleSlices({ slices: wiring.slices, outputs: wiring.results });
    return priceSchedule(schedule, sizes, settings, {
      model: costs.model(goal.requestsPerHour),
      temperature: goal.temperature,
      outputSecondsPerByte: costs.outputSecondsPerByte,
    });
  }

  private sizesOf({ dataflow, wiring }: WiredCut): SliceSize[] {
    const { bytes, costs } = this.cuts;
    return sliceSizes(dataflow, wiring, bytes, costs);
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
