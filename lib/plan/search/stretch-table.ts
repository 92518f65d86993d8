/** Sizes all stretches between candidate cuts that fit a limit. */
import type { CutSpace } from '../cuts/cuts';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { SliceSize } from '../sizes/estimate';
import type { Range } from './stretches';
import { sizeStretches } from './stretches';

/** A limit on the size of a slice. */
export interface SizeLimit {
  fits(size: SliceSize): boolean;
  /** Whether every longer stretch also exceeds the limit. A longer stretch may write fewer bytes, so `!fits` can change. */
  isHopeless(size: SliceSize): boolean;
  /** How an error describes the limit and a size that exceeds it. */
  describe(size: SliceSize): { readonly limit: string; readonly got: string; readonly advice: string };
}

/** A stretch between neighboring candidates that exceeds the limit. */
interface TooLarge {
  readonly from: number;
  readonly to: number;
  readonly size: SliceSize;
}

export class StretchTable {
  /** Positions in the order of nodes: the start of the range, the candidate cuts, and the end of the range. */
  readonly boundaries: readonly number[];
  /** By first boundary, then by later boundary minus one: the size between them; `undefined` if it exceeds the limit. */
  readonly stretches: readonly (readonly (SliceSize | undefined)[])[];
  /** Whether the first stretch reads from the request, and whether the last one writes the results. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly outputSecondsPerByte: number;
  /** Weights of the whole range. */
  readonly weightBytes: number;
  private tooLarge: TooLarge | undefined;

  /** Without a limit, every stretch fits. */
  constructor(space: CutSpace, cuts: readonly number[], { start, end }: Range, limit?: SizeLimit) {
    this.boundaries = [start, ...cuts, end];
    this.outputSecondsPerByte = space.costs.outputSecondsPerByte;
    this.isFirst = start === 0;
    this.isLast = end === space.dataflow.order.length;
    const weights = new WeightTable(space.dataflow, space.bytes, space.costs.work);
    const held = new HeldWeights(weights);
    for (const node of space.dataflow.order.slice(start, end)) held.addNode(node);
    this.weightBytes = held.weightBytes;
    this.stretches = this.boundaries.slice(0, -1).map((from, index) => {
      const sizes: (SliceSize | undefined)[] = [];
      sizeStretches(space, weights, this.boundaries, index, (to, size) => {
        const fits = limit === undefined || limit.fits(size);
        sizes.push(fits ? size : undefined);
        if (!fits && to === index + 1) this.tooLarge ??= { from, to: this.boundaries[to], size };
        return fits || !limit.isHopeless(size);
      });
      return sizes;
    });
  }

  /** The size of a stretch that fits. */
  sizeBetween(from: number, to: number): SliceSize {
    const size = this.stretches[from][to - from - 1];
    if (size === undefined) throw new Error(`the stretch from ${from} to ${to} does not fit`);
    return size;
  }

  /** The first stretch between neighboring candidates that exceeds the limit; `undefined` if there is none. */
  firstTooLarge(): TooLarge | undefined {
    return this.tooLarge;
  }
}
