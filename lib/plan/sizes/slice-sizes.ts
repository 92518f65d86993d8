/** Computes the sizes of the slices of a wired cut. */
import type { ValueIndex, NodeIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights } from '../../dataflow/weights';
import { sliceGets } from './object-gets';
import { type SliceWiring, type Wiring, readsOf, writesOf } from '../wiring/wiring';
import { type ComputedSize, type ModelMemory, sizeOf, usesFrom, RunMemory } from './run-memory';
import { type NodeEstimates, type SliceTables, tablesOf } from './slice-tables';
import { type TensorPool, ArenaPool, HeirFinder } from './arena';

/**
 * The same as `sizeRanges` computes for each slice that is a range of `order`, except for the memory of activations: a search
 * follows the nodes in `order`, because it extends ranges node by node, and this function in the order of ONNX Runtime.
 *
 * @param bytes by value: its planned bytes
 */
export function sliceSizes(
  dataflow: Dataflow,
  wiring: Wiring,
  bytes: readonly number[],
  costs: NodeEstimates,
): SliceSize[] {
  const tables = tablesOf({ dataflow, bytes, costs });
  const sum = (values: readonly ValueIndex[]): number =>
    values.reduce((total, value) => total + bytes[value], 0);
  const isRead = new Set<ValueIndex>();
  const gets = sliceGets(dataflow.model.graph, wiring, { bytes, elementBytes: costs.elementBytes });
  return wiring.slices.map((slice, index) => {
    const reads = readsOf(wiring, index);
    const ofRequest = reads.flatMap(({ value, source }) =>
      source.from === 'request' && !isRead.has(value) ? [value] : [],
    );
    for (const value of ofRequest) isRead.add(value);
    return {
      ...computedSize(tables, slice, index === wiring.slices.length - 1),
      readBytes: sum(reads.map(({ value }) => value)),
      writeBytes: sum(writesOf(wiring, index)),
      outputBytes: sum(slice.outputs),
      requestBytes: sum(ofRequest),
      ...gets[index],
    };
  });
}

function computedSize(tables: SliceTables, slice: SliceWiring, isLast: boolean): ComputedSize {
  const { memory, position, computed } = tables;
  const { order } = memory.dataflow;
  const start = slice.nodes.reduce((first, node) => Math.min(first, position.get(node) ?? first), Infinity);
  if (slice.nodes.some((node, place) => order[start + place] !== node))
    return computeSize(tables, slice, start);
  // The last slice also computes the results that depend on constants alone.
  const key = `${start} ${slice.nodes.length} ${isLast}`;
  const size = computed.get(key) ?? computeSize(tables, slice, start);
  computed.set(key, size);
  return size;
}

function computeSize({ weights, memory }: SliceTables, slice: SliceWiring, start: number): ComputedSize {
  const held = new HeldWeights(weights);
  for (const node of slice.nodes) held.addNode(node);
  for (const value of slice.outputs) held.addValue(value);
  const { pool, run } = executed(memory, slice, start);
  return sizeOf(held, pool, run, {
    computedBytes: slice.nodes.reduce((total, node) => total + weights.outputBytes(node), 0),
    // Added in the same order as for a range, so that the last bit is the same.
    coreSeconds: slice.nodes.reduce((total, node) => total + weights.work[node], 0) + held.repeatedSeconds,
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
