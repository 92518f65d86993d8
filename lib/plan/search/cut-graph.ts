/**
 * The graph whose paths are the plans. Its vertices are the places where slices may begin or end, in the order of the nodes. Its edges are
 * the ranges of nodes between two vertices that may be slices.
 */
import type { CutSpace } from '../cuts/cuts';
import { type Range, type RangeSize, sizeRanges } from '../cuts/range-sizes';
import { HeldWeights } from '../../dataflow/weights';
import { tablesOf } from '../sizes/slice-tables';
import { type SliceShare, type SliceSize, MAX_STATE_TENSORS } from '../sizes/estimate';
import type { Groups } from '../wiring/wiring';
import type * as chains from '../../cost/chain';
import type { DetailedCostModel } from '../../cost/model';
import { demandOf } from '../pricing/price';
import type { PlanRequest } from '../goal';

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

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly size: RangeSize;
}

export class CutGraph {
  private constructor(
    private readonly space: CutSpace,
    /** Positions in the order of nodes: the start of the range, the candidate cuts, and the end of the range. */
    readonly vertices: readonly number[],
    /** By first vertex, ascending, and of the same first vertex by second vertex. */
    readonly edges: readonly Edge[],
    readonly total: SliceShare & { readonly coreSeconds: number },
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

export function legalIn({ legal }: CutSpace, { start, end }: Range): readonly number[] {
  return legal.filter((cut) => cut > start && cut < end);
}

export function whole({ dataflow }: CutSpace): Range {
  return { start: 0, end: dataflow.order.length };
}

export function split({ dataflow: { order } }: CutSpace, cuts: readonly number[]): Groups {
  return [...cuts, order.length].map((end, slice) => order.slice(slice === 0 ? 0 : cuts[slice - 1], end));
}

/** A slice with some memory. */
export interface Step extends chains.StepCost {
  readonly memoryMb: number;
  /** Absent if the request keeps all tensors in S3. */
  readonly inState?: chains.InState;
}

export interface PricedEdge extends Edge {
  /** At least one, by ascending memory. */
  readonly steps: readonly Step[];
}

export type Pricing = Pick<PlanRequest, 'model' | 'transport' | 'threads' | 'memorySizes' | 'maxMemoryMb'>;

/** The search does not know which slices answer their tensors, so it assumes that the state has all small ones. */
export function pricedEdges(graph: CutGraph, pricing: Pricing): readonly PricedEdge[] {
  const { model, transport, threads } = pricing;
  const { isFirst, isLast, outputSecondsPerByte } = graph;
  return graph.edges.map((edge): PricedEdge => {
    const { from, to, size } = edge;
    const isEnd = to === graph.vertices.length - 1 && isLast;
    const choice = {
      threads,
      readsFrom: from === 0 && isFirst ? 'request' : transport,
      writesTo: isEnd ? 's3-standard' : transport,
      writesResult: isEnd,
      ...(model.options.tensorsInState && { inState: smallTensors(size, isEnd) }),
    } as const;
    const demand = demandOf(size, outputSecondsPerByte);
    const larger = pricing.memorySizes.filter((mb) => mb > demand.memoryMb && mb <= pricing.maxMemoryMb);
    return { ...edge, steps: stepsOf([demand.memoryMb, ...larger], demand, choice, model) };
  });
}

function smallTensors({ smallReads, gets, characters }: RangeSize, isEnd: boolean): chains.InState {
  return {
    isAnswered: characters <= MAX_STATE_TENSORS && !isEnd,
    gets: smallReads.areAll ? gets : 0,
    readsAll: smallReads.areAll,
    readBytes: smallReads.bytes,
    characters: 0,
  };
}

export function stepsOf(
  memorySizes: readonly number[],
  demand: chains.SliceDemand,
  choice: Omit<chains.StepChoice, 'memoryMb'>,
  model: DetailedCostModel,
): Step[] {
  const { inState } = choice;
  return memorySizes.map((memoryMb) => {
    const { warmDollars, coldDollars, warmMs, loadMs, coldMs } = model.step(demand, { ...choice, memoryMb });
    const cost = { warmDollars, coldDollars, warmMs, loadMs, coldMs };
    return { ...cost, memoryMb, ...(inState && { inState }) };
  });
}
