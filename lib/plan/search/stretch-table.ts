/** Sizes all stretches between candidate cuts that fit a limit. */
import type { CutSpace } from '../cuts/cuts';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { SliceSize } from '../sizes/estimate';
import type { Range, SmallValue, StretchSize } from './stretches';
import { sizeStretches, smallValuesAcross } from './stretches';

/** A limit on the size of a slice. */
export interface SizeLimit {
  fits(size: SliceSize): boolean;
  /** Whether every longer stretch also exceeds the limit. A longer stretch may write fewer bytes, so `!fits` can change. */
  isHopeless(size: SliceSize): boolean;
  /** How an error describes the limit and a size that exceeds it. */
  describe(size: SliceSize): { readonly limit: string; readonly got: string; readonly advice: string };
}

/** A stretch between neighboring candidates that exceeds the limit. */
export interface TooLarge {
  readonly from: number;
  readonly to: number;
  readonly size: SliceSize;
}

/** The sizes of stretches, and what else a search must know of the range. */
interface Stretches {
  /** Positions in the order of nodes: the start of the range, the candidate cuts, and the end of the range. */
  readonly boundaries: readonly number[];
  /** By first boundary, then by later boundary minus one: the size between them; `undefined` if it may not be a slice. */
  readonly stretches: readonly (readonly (StretchSize | undefined)[])[];
  /** By boundary: the small values that cross it. */
  readonly smallAcross: readonly (readonly SmallValue[])[];
  /** Whether the first stretch reads from the request, and whether the last one writes the results. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly outputSecondsPerByte: number;
  /** Weights of the whole range, and its seconds of computing on one vCPU. */
  readonly weightBytes: number;
  readonly coreSeconds: number;
  /** The first stretch between neighboring candidates that exceeds the limit. */
  readonly tooLarge: TooLarge | undefined;
}

export class StretchTable implements Stretches {
  readonly boundaries: Stretches['boundaries'];
  readonly stretches: Stretches['stretches'];
  readonly smallAcross: Stretches['smallAcross'];
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly outputSecondsPerByte: number;
  readonly weightBytes: number;
  readonly coreSeconds: number;
  readonly tooLarge: TooLarge | undefined;

  private constructor(known: Stretches) {
    this.boundaries = known.boundaries;
    this.stretches = known.stretches;
    this.smallAcross = known.smallAcross;
    this.isFirst = known.isFirst;
    this.isLast = known.isLast;
    this.outputSecondsPerByte = known.outputSecondsPerByte;
    this.weightBytes = known.weightBytes;
    this.coreSeconds = known.coreSeconds;
    this.tooLarge = known.tooLarge;
  }

  /** Without a limit, every stretch fits. */
  static of(
    space: CutSpace,
    cuts: readonly number[],
    { start, end }: Range,
    limit?: SizeLimit,
  ): StretchTable {
    const boundaries = [start, ...cuts, end];
    const weights = new WeightTable(space.dataflow, space.bytes, space.costs.work);
    const held = new HeldWeights(weights);
    const nodes = space.dataflow.order.slice(start, end);
    for (const node of nodes) held.addNode(node);
    let tooLarge: TooLarge | undefined;
    const stretches = boundaries.slice(0, -1).map((from, index) => {
      const sizes: (StretchSize | undefined)[] = [];
      sizeStretches(space, weights, boundaries, index, (to, size) => {
        const fits = limit === undefined || limit.fits(size);
        sizes.push(fits ? size : undefined);
        if (!fits && to === index + 1) tooLarge ??= { from, to: boundaries[to], size };
        return fits || !limit.isHopeless(size);
      });
      return sizes;
    });
    return new StretchTable({
      boundaries,
      stretches,
      smallAcross: smallValuesAcross(space, boundaries),
      isFirst: start === 0,
      isLast: end === space.dataflow.order.length,
      outputSecondsPerByte: space.costs.outputSecondsPerByte,
      weightBytes: held.weightBytes,
      coreSeconds: nodes.reduce((sum, node) => sum + weights.work[node], held.repeatedSeconds),
      tooLarge,
    });
  }

  /** The same table in which only stretches of these sizes may be slices. */
  only(mayBeSlice: (size: SliceSize) => boolean): StretchTable {
    const stretches = this.stretches.map((sizes) =>
      sizes.map((size) => (size !== undefined && mayBeSlice(size) ? size : undefined)),
    );
    const {
      boundaries,
      smallAcross,
      isFirst,
      isLast,
      outputSecondsPerByte,
      weightBytes,
      coreSeconds,
      tooLarge,
    } = this;
    return new StretchTable({
      ...{ boundaries, stretches, smallAcross, isFirst, isLast },
      ...{ outputSecondsPerByte, weightBytes, coreSeconds, tooLarge },
    });
  }

  /** The size of a stretch that may be a slice. */
  sizeBetween(from: number, to: number): StretchSize {
    const size = this.stretches[from][to - from - 1];
    if (size === undefined) throw new Error(`the stretch from ${from} to ${to} does not fit`);
    return size;
  }
}
