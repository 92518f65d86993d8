/** Tries the ways to cut a model as asked, and takes the best. */
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
import type { Groups } from './groups';
import { scheduleSlices, timeOf } from './schedule/schedule';
import { sliceSizes } from './sizes/slice-sizes';
import type { Slicer } from './search/slicers';
import type { WiredCut } from './wiring';
import { wireSlices } from './wiring';

/** Branches side by side must save so much of the time that a run takes one slice after the other... */
const MIN_SAVED_TIME = 0.1;
/** ...and may cost so much more memory of the largest function, and so many more bytes moved. */
const MEMORY_TOLERANCE = 1.5;
const MOVED_TOLERANCE = 1.5;
const MOVED_FLOOR = 2 ** 20;

/**
 * The slices that the slicer chooses.
 *
 * What is worth computing again was decided value by value; whether all of it is, together with the cuts that it leads to,
 * the bytes moved in the end say. Where a limit leaves no way to cut with what is computed again, there may be one
 * without it. Where a model has branches, cuts between them let them run side by side.
 *
 * @param dataflow as if nothing but constants were computed in more than one slice
 */
export function bestCut(dataflow: Dataflow, cuts: CutSpace, slicer: Slicer): WiredCut {
  const chooser = new Chooser(dataflow, cuts);
  const oneByOne = chooser.best(slicer);
  const sideBySide = chooser.withBranches(slicer, oneByOne.groups.length);
  return sideBySide.reduce((best, cut) => (chooser.isFaster(cut, best, oneByOne) ? cut : best), oneByOne);
}

class Chooser {
  private readonly sizes = new Map<WiredCut, readonly SliceSize[]>();

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
  ) {}

  best(slicer: Slicer): WiredCut {
    const { cuts } = this;
    if (cuts.withoutRepeats === undefined) return this.wired(slicer.choose(cuts));
    const again = attempt(() => this.wired(slicer.choose(cuts)));
    const plain = attempt(() => this.wired(slicer.choose(cuts.withoutRepeats ?? cuts)));
    if (plain instanceof SlicedInferenceError) {
      if (again instanceof SlicedInferenceError) throw plain;
      return again;
    }
    return !(again instanceof SlicedInferenceError) && this.movesLess(again, plain) ? again : plain;
  }

  /** Cuts of as many slices, none of which reaches from one branch into another. */
  withBranches(slicer: Slicer, slices: number): WiredCut[] {
    if (slicer.chooseWithin === undefined || slices < 2) return [];
    const branches = findBranches(this.cuts.dataflow, this.cuts.bytes);
    if (branches === undefined) return [];
    const space = findCuts({ ...this.cuts.dataflow, order: branches.order }, this.cuts.rule, this.cuts.bytes);
    return placesToPart(branches).flatMap((places) => {
      const legal = new Set(space.legal);
      if (!places.every((place) => legal.has(place))) return [];
      const boundaries = [0, ...places, branches.order.length];
      const ranges = boundaries.slice(1).map((end, index) => ({ start: boundaries[index], end }));
      const groups = attempt(() => slicer.chooseWithin?.(space, ranges));
      if (groups === undefined || groups instanceof SlicedInferenceError || groups.length !== slices)
        return [];
      return [this.wired(groups)];
    });
  }

  /** Whether a cut's run takes less time than the best so far, at a cost that is borne for it. */
  isFaster(cut: WiredCut, best: WiredCut, oneByOne: WiredCut): boolean {
    const time = this.time(cut);
    return (
      time < this.time(best) &&
      time <= (1 - MIN_SAVED_TIME) * this.time(oneByOne) &&
      this.largest(cut) <= MEMORY_TOLERANCE * this.largest(oneByOne) &&
      this.moved(cut) <= MOVED_TOLERANCE * this.moved(oneByOne) + MOVED_FLOOR
    );
  }

  private movesLess(cut: WiredCut, than: WiredCut): boolean {
    return cut.groups.length === than.groups.length
      ? this.moved(cut) < this.moved(than)
      : cut.groups.length < than.groups.length;
  }

  private wired(groups: Groups): WiredCut {
    const dataflow = withRepeated(this.dataflow, leftOut(this.dataflow, groups));
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

  /** A guess, by the weights that slices read and the tensors that they make. */
  private time(cut: WiredCut): number {
    const { slices, results } = cut.wiring;
    const work = this.sizesOf(cut).map(({ weightBytes, computedBytes }) => weightBytes + computedBytes);
    return timeOf(scheduleSlices({ slices, outputs: results }), work);
  }

  private sizesOf(cut: WiredCut): readonly SliceSize[] {
    const known = this.sizes.get(cut) ?? sliceSizes(cut.dataflow, cut.wiring, this.cuts.bytes);
    this.sizes.set(cut, known);
    return known;
  }
}

/** With what joins the branches in a slice of its own, or with the last of them. */
function placesToPart({ partings, joins }: BranchOrder): number[][] {
  const apart = [...new Set([...partings, ...joins])].sort((a, b) => a - b);
  return apart.length > partings.length ? [[...partings], apart] : [[...partings]];
}

function attempt<T>(make: () => T): T | SlicedInferenceError {
  try {
    return make();
  } catch (error) {
    if (error instanceof SlicedInferenceError) return error;
    throw error;
  }
}

/** The nodes that the groups leave to whoever needs them. An earlier plan may have left out others than are now. */
function leftOut({ order, isCheap }: Dataflow, groups: Groups): Set<NodeIndex> {
  const placed = new Set(groups.flat());
  return new Set(order.filter((node) => isCheap[node] && !placed.has(node)));
}
