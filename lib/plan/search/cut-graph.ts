/**
 * The graph whose paths are the plans. Its vertices are the places where slices may begin or end, in the order of the nodes. Its edges are
 * the ranges of nodes between two vertices that may be slices.
 */
import type { CutSpace } from '../cuts/cuts';
import { type Range, type RangeSize, sizeRanges, tablesOf } from '../cuts/range-sizes';
import { HeldWeights } from '../../dataflow/weights';
import type { SliceSize } from '../sizes/estimate';
import type { Groups } from '../wiring/wiring';

/** A limit on the size of a slice. */
export interface SizeLimit {
  fits(size: SliceSize): boolean;
  /** Whether every longer range also exceeds the limit. A longer range may write fewer bytes, so `!fits` can change. */
  isHopeless(size: SliceSize): boolean;
  /** How an error describes the limit and a size that exceeds it. */
  describe(size: SliceSize): { readonly limit: string; readonly got: string; readonly advice: string };
}

/** A range between neighboring vertices that exceeds the limit. */
export interface TooLarge {
  readonly from: number;
  readonly to: number;
  readonly size: SliceSize;
}

/** A range that may be a slice. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly size: RangeSize;
}

/** What all slices of any plan have together. */
interface Total {
  readonly nodes: number;
  readonly weightBytes: number;
  /** Seconds of computing on one vCPU. */
  readonly coreSeconds: number;
}

export class CutGraph {
  private constructor(
    private readonly space: CutSpace,
    /** Positions in the order of nodes: the start of the range, the candidate cuts, and the end of the range. */
    readonly vertices: readonly number[],
    /** By first vertex, ascending, and of the same first vertex by second vertex. */
    readonly edges: readonly Edge[],
    readonly total: Total,
    /** The first one. */
    readonly tooLarge: TooLarge | undefined,
  ) {}

  /**
   * Without a limit, every range may be a slice.
   *
   * @param cuts the legal cuts in the range that are compared, ascending
   */
  static of(space: CutSpace, cuts: readonly number[], { start, end }: Range, limit?: SizeLimit): CutGraph {
    const vertices = [start, ...cuts, end];
    let tooLarge: TooLarge | undefined;
    const edges = vertices.flatMap((first, from) => {
      const own: Edge[] = [];
      sizeRanges(space, vertices, from, (to, size) => {
        const fits = limit === undefined || limit.fits(size);
        if (fits) own.push({ from, to, size });
        else if (to === from + 1) tooLarge ??= { from: first, to: vertices[to], size };
        return fits || !limit.isHopeless(size);
      });
      return own;
    });
    const { weights } = tablesOf(space);
    const held = new HeldWeights(weights);
    const nodes = space.dataflow.order.slice(start, end);
    for (const node of nodes) held.addNode(node);
    const coreSeconds = nodes.reduce((sum, node) => sum + weights.work[node], held.repeatedSeconds);
    const total = { nodes: end - start, weightBytes: held.weightBytes, coreSeconds };
    return new CutGraph(space, vertices, edges, total, tooLarge);
  }

  /** The same graph with fewer edges. */
  where(mayBeSlice: (edge: Edge) => boolean): CutGraph {
    const { space, vertices, edges, total, tooLarge } = this;
    return new CutGraph(space, vertices, edges.filter(mayBeSlice), total, tooLarge);
  }

  get outputSecondsPerByte(): number {
    return this.space.costs.outputSecondsPerByte;
  }

  /** Whether the first slice reads the request. */
  get isFirst(): boolean {
    return this.vertices[0] === 0;
  }

  /** Whether the last slice writes the results. */
  get isLast(): boolean {
    return this.vertices[this.vertices.length - 1] === this.space.dataflow.order.length;
  }

  /** The nodes of each slice. @param path vertices, from the first to the last one */
  groupsOf(path: readonly number[]): Groups {
    const { order } = this.space.dataflow;
    return path.slice(1).map((to, slice) => order.slice(this.vertices[path[slice]], this.vertices[to]));
  }
}

/** The legal cuts inside the range. */
export function legalIn({ legal }: CutSpace, { start, end }: Range): readonly number[] {
  return legal.filter((cut) => cut > start && cut < end);
}

/** The range of all nodes. */
export function whole({ dataflow }: CutSpace): Range {
  return { start: 0, end: dataflow.order.length };
}

/** The nodes between neighboring cuts of all nodes. */
export function split({ dataflow: { order } }: CutSpace, cuts: readonly number[]): Groups {
  return [...cuts, order.length].map((end, slice) => order.slice(slice === 0 ? 0 : cuts[slice - 1], end));
}
