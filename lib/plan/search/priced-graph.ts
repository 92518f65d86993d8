/** The edges of the graph with their prices: each edge has one step for each memory size that is worth it. */
import type {
  CostModel,
  InState,
  SliceDemand,
  StepChoice,
  StepCost,
  Temperature,
  Transport,
} from '../../cost/chain';
import type { RangeSize } from '../cuts/range-sizes';
import { demandOf } from '../pricing/price';
import { MAX_STATE_TENSORS } from '../sizes/state-size';
import type { CutGraph } from './cut-graph';
import type { PlanRequest } from '../goal';

/** One way to run the slice of an edge. */
export interface Step extends StepCost {
  readonly memoryMb: number;
  /** What it reads and writes. */
  readonly movedBytes: number;
  /** Absent if the request keeps all tensors in S3. */
  readonly inState?: InState;
}

export interface PricedEdge {
  readonly from: number;
  readonly to: number;
  /** At least one. None of them is better than another one. */
  readonly steps: readonly Step[];
}

export interface PricedGraph {
  /** The number of vertices. */
  readonly vertices: number;
  /** By first vertex, ascending. */
  readonly edges: readonly PricedEdge[];
  readonly model: CostModel;
  readonly temperature: Temperature;
  readonly transport: Transport;
  /** Whether the last slice writes the results of the model. */
  readonly isLast: boolean;
}

/** What the prices depend on. */
export type Pricing = Pick<
  PlanRequest,
  'model' | 'temperature' | 'transport' | 'threads' | 'memorySizes' | 'maxMemoryMb' | 'tensorsInState'
>;

/** The search does not know which slices answer their tensors, so it assumes that the state has all small ones. */
export function pricedGraph(graph: CutGraph, pricing: Pricing): PricedGraph {
  const { model, temperature, transport, threads } = pricing;
  const { isFirst, isLast, outputSecondsPerByte } = graph;
  const vertices = graph.vertices.length;
  const edges = graph.edges.map(({ from, to, size }): PricedEdge => {
    const isEnd = to === vertices - 1 && isLast;
    const choice = {
      threads,
      readsFrom: from === 0 && isFirst ? 'request' : transport,
      writesTo: isEnd ? 's3-standard' : transport,
      ...(pricing.tensorsInState && { inState: smallTensors(size, isEnd) }),
    } as const;
    const demand = demandOf(size, outputSecondsPerByte);
    const larger = pricing.memorySizes.filter((mb) => mb > demand.memoryMb && mb <= pricing.maxMemoryMb);
    return { from, to, steps: stepsOf([demand.memoryMb, ...larger], demand, choice, pricing) };
  });
  return { vertices, edges, model, temperature, transport, isLast };
}

function smallTensors({ smallReads, readTensors, characters }: RangeSize, isEnd: boolean): InState {
  return {
    isAnswered: characters <= MAX_STATE_TENSORS && !isEnd,
    readTensors: smallReads.tensors,
    readsAll: smallReads.tensors === readTensors,
    readBytes: smallReads.bytes,
    characters: 0,
  };
}

/** The steps with these memory sizes of which none is better than another one. */
export function stepsOf(
  memorySizes: readonly number[],
  demand: SliceDemand,
  choice: Omit<StepChoice, 'memoryMb'>,
  { model, temperature }: Pick<Pricing, 'model' | 'temperature'>,
): Step[] {
  const movedBytes = demand.readBytes + demand.writeBytes;
  const kept: Step[] = [];
  for (const memory of memorySizes) {
    const { warmDollars, coldDollars, warmMs, loadMs, coldMs } = model.step(demand, {
      ...choice,
      memoryMb: memory,
    });
    const { inState } = choice;
    const cost = { warmDollars, coldDollars, warmMs, loadMs, coldMs };
    const step = { ...cost, memoryMb: memory, movedBytes, ...(inState && { inState }) };
    if (kept.some((other) => isNoWorse(other, step, temperature))) continue;
    for (let index = kept.length - 1; index >= 0; index--)
      if (isNoWorse(step, kept[index], temperature)) kept.splice(index, 1);
    kept.push(step);
  }
  return kept;
}

function isNoWorse(a: Step, b: Step, temperature: Temperature): boolean {
  if (temperature !== 'cold' && (a.warmDollars > b.warmDollars || a.warmMs > b.warmMs)) return false;
  return (
    temperature === 'warm' || (a.coldDollars <= b.coldDollars && a.coldMs <= b.coldMs && a.loadMs <= b.loadMs)
  );
}
