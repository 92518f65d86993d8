/** Computes the sizes of the slices of a wired cut. */
import type { ValueIndex, NodeIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { NodeSeconds } from '../../compute-time/node-seconds';
import type { SliceWiring, Wiring } from '../wiring/wiring';
import { type ModelMemory, modelMemory, sizeOf, usesFrom, RunMemory } from './run-memory';
import type { MemoryEstimates } from './node-memory';
import { type TensorPool, ArenaPool, HeirFinder } from './arena';
import { largestOf, smallestOf } from '../../extremes';

export interface NodeEstimates extends MemoryEstimates {
  /** By node: seconds of computing. */
  readonly work: NodeSeconds;
  /** Slices of the graph whose memory was measured with the planned sizes. @default - all memory is estimated */
  readonly peaks?: readonly MeasuredPeak[];
}

/**
 * The same as `sizeRanges` computes for each slice that is a range of `order`, except for the memory of activations: a search
 * follows the nodes in `order`, because it extends ranges node by node, and this function in the order of ONNX Runtime.
 *
 * @param bytes by value: its planned bytes
 */
export function sliceSizes(
  dataflow: Dataflow,
  { slices }: Wiring,
  bytes: readonly number[],
  { work, peaks: measured = [], ...estimates }: NodeEstimates,
): SliceSize[] {
  const peaks = new MeasuredPeaks(dataflow.order, measured);
  const table = new WeightTable(dataflow, bytes, work);
  const memory = modelMemory(dataflow, bytes, estimates);
  const position = new Map(dataflow.order.map((node, place) => [node, place]));
  const sum = (values: readonly ValueIndex[]): number =>
    values.reduce((total, value) => total + bytes[value], 0);
  return slices.map((slice) => {
    const held = new HeldWeights(table);
    for (const node of slice.nodes) held.addNode(node);
    for (const value of slice.outputs) held.addValue(value);
    const start = slice.nodes.reduce((first, node) => Math.min(first, position.get(node) ?? first), Infinity);
    const { pool, run } = executed(memory, slice, start);
    const estimate = sizeOf(held, pool, run, {
      readBytes: sum(slice.inputs.map(({ value }) => value)),
      writeBytes: sum(slice.outputs),
      computedBytes: slice.nodes.reduce((total, node) => total + table.outputBytes(node), 0),
      readTensors: readsOf(slice),
      // Added in the same order as for a range, so that the last bit is the same.
      coreSeconds: slice.nodes.reduce((total, node) => total + work[node], 0) + held.repeatedSeconds,
    });
    return peaks.limitedOf(estimate, slice.nodes);
  });
}

/** Runs the nodes as ONNX Runtime does, once to find the heirs of tensors, and once to place the tensors. */
function executed(
  memory: ModelMemory,
  { nodes, allNodes }: SliceWiring,
  start: number,
): { readonly pool: ArenaPool; readonly run: RunMemory } {
  const { isRepeated } = memory.dataflow;
  const own = new Set(nodes);
  // Casts that no output needs decide about the order, but their small results do not count.
  const order = executionOrder(memory.dataflow, allNodes).filter((node) => own.has(node) || isRepeated[node]);
  const runOn = (pool: TensorPool): RunMemory => {
    const run = new RunMemory(memory, usesFrom(memory, start), pool);
    for (const node of order) {
      if (isRepeated[node]) run.runRepeated([node]);
      else run.run(node);
    }
    return run;
  };
  const finder = new HeirFinder(memory.classes);
  runOn(finder);
  const pool = new ArenaPool(finder.heirs);
  return { pool, run: runOn(pool) };
}

function readsOf({ inputs }: SliceWiring): number {
  const fromSlices = inputs.filter(({ source }) => source.from === 'slice').length;
  return fromSlices + (fromSlices < inputs.length ? 1 : 0);
}

/** @param nodes the nodes of the graph, in the order of its file, which is topological */
export function executionOrder(
  { needs, model }: Pick<Dataflow, 'needs' | 'model'>,
  nodes: readonly NodeIndex[],
): NodeIndex[] {
  const { values } = model.graph;
  const position = new Map(nodes.map((node, place) => [node, place]));
  const producers = nodes.map((node) => {
    const found = new Set<number>();
    for (const value of needs[node]) {
      const { producer } = values[value];
      const place = producer === undefined ? undefined : position.get(producer);
      if (place !== undefined) found.add(place);
    }
    return [...found].sort((a, b) => a - b);
  });
  const isRead = new Uint8Array(nodes.length);
  for (const found of producers) for (const place of found) isRead[place] = 1;
  return depthFirst(producers, isRead).map((place) => nodes[place]);
}

/** Marks a node on the stack whose producers are done; other entries are not negative. */
const left = (place: number): number => -1 - place;

function depthFirst(producers: readonly (readonly number[])[], isRead: Uint8Array): number[] {
  const order: number[] = [];
  const isVisited = new Uint8Array(producers.length);
  const stack: number[] = [];
  for (let place = 0; place < producers.length; place++) if (isRead[place] === 0) stack.push(place);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next < 0) {
      order.push(left(next));
      continue;
    }
    if (isVisited[next] === 1) continue;
    isVisited[next] = 1;
    stack.push(left(next));
    for (const producer of producers[next]) if (isVisited[producer] === 0) stack.push(producer);
  }
  return order;
}

export interface MeasuredPeak {
  readonly nodes: readonly NodeIndex[];
  /** Peak of the memory that ONNX Runtime allocated in a run. */
  readonly activationBytes: number;
}

/**
 * A slice holds no more live tensors than a slice that contains it, and no fewer than a slice that it contains. So the measured
 * activations of a slice with the same nodes replace the estimate, and those of others limit it.
 */
export class MeasuredPeaks {
  private readonly positions: ReadonlyMap<NodeIndex, number>;
  private readonly ranges: readonly { start: number; end: number; activationBytes: number }[];

  /** @param order the order of nodes; a slice that is no range of it says nothing */
  constructor(order: readonly NodeIndex[], peaks: readonly MeasuredPeak[] = []) {
    this.positions = new Map(peaks.length === 0 ? [] : order.map((node, position) => [node, position]));
    this.ranges = peaks.flatMap(({ nodes, activationBytes }) => {
      const range = this.rangeOf(nodes);
      return range === undefined ? [] : [{ ...range, activationBytes }];
    });
  }

  /** @param end position after the last node of the slice */
  limited(size: SliceSize, start: number, end: number): SliceSize {
    let [least, most] = [0, Infinity];
    for (const range of this.ranges) {
      if (range.start <= start && end <= range.end) most = Math.min(most, range.activationBytes);
      if (start <= range.start && range.end <= end) least = Math.max(least, range.activationBytes);
    }
    const activationBytes = Math.min(Math.max(size.activationBytes, least), most);
    return activationBytes === size.activationBytes ? size : { ...size, activationBytes };
  }

  /** The same for a slice whose nodes need not be a range. */
  limitedOf(size: SliceSize, nodes: readonly NodeIndex[]): SliceSize {
    const range = this.rangeOf(nodes);
    return range === undefined ? size : this.limited(size, range.start, range.end);
  }

  private rangeOf(nodes: readonly NodeIndex[]): { start: number; end: number } | undefined {
    const places = nodes.flatMap((node) => this.positions.get(node) ?? []);
    if (places.length === 0) return undefined;
    const [start, end] = [smallestOf(places), largestOf(places) + 1];
    return end - start === new Set(places).size ? { start, end } : undefined;
  }
}
