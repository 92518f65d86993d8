/** Tries several ways to cut a model as the slicer requests, and chooses the best one. */
import { SlicedInferenceError } from '../errors';
import type { NodeIndex } from '../onnx/model';
import type { BranchOrder } from './cuts/branches';
import { findBranches } from './cuts/branches';
import { checkGroups } from './cuts/check-groups';
import type { CutSpace } from './cuts/cuts';
import { findCuts } from './cuts/cuts';
import type { SliceSize } from './sizes/estimate';
import type { Dataflow } from '../dataflow/dataflow';
import { withRepeated } from '../dataflow/dataflow';
import type { Groups } from './wiring/groups';
import { scheduleSlices, timeOf } from './schedule/schedule';
import { sliceSizes } from './sizes/slice-sizes';
import type { Slicer } from './search/slicers';
import type { WiredCut } from './wiring/wiring';
import { wireSlices } from './wiring/wiring';

/** Share of a sequential run's time that parallel branches must save. */
const MIN_SAVED_TIME = 0.1;
/** With parallel branches, the largest slice may need this many times the memory... */
const MEMORY_TOLERANCE = 1.5;
/** ...and the slices together may move this many times the bytes, plus `MOVED_FLOOR` bytes. */
const MOVED_TOLERANCE = 1.5;
const MOVED_FLOOR = 2 ** 20;

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
export function bestCut(dataflow: Dataflow, cuts: CutSpace, slicer: Slicer): WiredCut {
  const chooser = new Chooser(dataflow, cuts);
  const sequential = chooser.best(slicer);
  const parallel = chooser.withBranches(slicer, sequential.groups.length);
  return parallel.reduce((best, cut) => (chooser.isFaster(cut, best, sequential) ? cut : best), sequential);
}

class Chooser {
  private readonly sizes = new Map<WiredCut, readonly SliceSize[]>();

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
  ) {}

  /** The cut with fewer slices, or with fewer bytes moved, out of those with and without repeated nodes. */
  best(slicer: Slicer): WiredCut {
    const { cuts } = this;
    if (cuts.withoutRepeats === undefined) return this.wired(slicer.choose(cuts));
    const repeating = attempt(() => this.wired(slicer.choose(cuts)));
    const plain = attempt(() => this.wired(slicer.choose(cuts.withoutRepeats ?? cuts)));
    if (plain instanceof SlicedInferenceError) {
      if (repeating instanceof SlicedInferenceError) throw plain;
      return repeating;
    }
    return !(repeating instanceof SlicedInferenceError) && this.isCheaper(repeating, plain)
      ? repeating
      : plain;
  }

  /** Cuts into `slices` slices in which no slice has nodes of two branches. */
  withBranches(slicer: Slicer, slices: number): WiredCut[] {
    if (slicer.chooseWithin === undefined || slices < 2) return [];
    const branches = findBranches(this.cuts.dataflow, this.cuts.bytes);
    if (branches === undefined) return [];
    const space = findCuts({ ...this.cuts.dataflow, order: branches.order }, this.cuts.rule, this.cuts.bytes, this.cuts.costs);
    return cutsBetween(branches).flatMap((cuts) => {
      const legal = new Set(space.legal);
      if (!cuts.every((cut) => legal.has(cut))) return [];
      const boundaries = [0, ...cuts, branches.order.length];
      const ranges = boundaries.slice(1).map((end, index) => ({ start: boundaries[index], end }));
      const groups = attempt(() => slicer.chooseWithin?.(space, ranges));
      if (groups === undefined || groups instanceof SlicedInferenceError || groups.length !== slices)
        return [];
      return [this.wired(groups)];
    });
  }

  /** Whether the cut runs faster than the best one so far, and saves enough time for its memory and its bytes moved. */
  isFaster(cut: WiredCut, best: WiredCut, sequential: WiredCut): boolean {
    const time = this.time(cut);
    return (
      time < this.time(best) &&
      time <= (1 - MIN_SAVED_TIME) * this.time(sequential) &&
      this.largest(cut) <= MEMORY_TOLERANCE * this.largest(sequential) &&
      this.moved(cut) <= MOVED_TOLERANCE * this.moved(sequential) + MOVED_FLOOR
    );
  }

  private isCheaper(cut: WiredCut, than: WiredCut): boolean {
    return cut.groups.length === than.groups.length
      ? this.moved(cut) < this.moved(than)
      : cut.groups.length < than.groups.length;
  }

  private wired(groups: Groups): WiredCut {
    const dataflow = withRepeated(this.dataflow, unassignedNodes(this.dataflow, groups));
    checkGroups(dataflow, this.cuts.rule, groups);
    return { dataflow, groups, wiring: wireSlices(dataflow, groups) };
  }

  private moved(cut: WiredCut): number {
    return this.sizesOf(cut).reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0);
  }

  private largest(cut: WiredCut): number {
    return Math.max(
      ...this.sizesOf(cut).map(({ weightBytes, activationBytes }) => weightBytes + activationBytes),
    );
  }

  /** An estimate of the run time, in bytes of weights that the slices read and of tensors that they compute. */
  private time(cut: WiredCut): number {
    const { slices, results } = cut.wiring;
    const work = this.sizesOf(cut).map(({ weightBytes, computedBytes }) => weightBytes + computedBytes);
    return timeOf(scheduleSlices({ slices, outputs: results }), work);
  }

  private sizesOf(cut: WiredCut): readonly SliceSize[] {
    const known = this.sizes.get(cut) ?? sliceSizes(cut.dataflow, cut.wiring, this.cuts.bytes, this.cuts.costs.work);
    this.sizes.set(cut, known);
    return known;
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
