/** Computes the sizes of the slices of a wired cut. */
import type { ValueIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';
import { executionOrder } from './execution-order';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { NodeSeconds } from '../../compute-time/node-seconds';
import type { SliceWiring, Wiring } from '../wiring/wiring';
import { type MeasuredPeak, MeasuredPeaks } from './measured-peaks';
import { type ModelMemory, modelMemory, sizeOf, usesFrom } from './model-memory';
import type { MemoryEstimates } from './node-memory';
import { RunMemory } from './run-memory';
import { type TensorPool, ArenaPool, HeirFinder } from './tensor-pool';

/** What the nodes of the graph are estimated to need, besides their tensors. */
export interface NodeEstimates extends MemoryEstimates {
  /** By node: seconds of computing. */
  readonly work: NodeSeconds;
  /**
   * Slices of the graph whose memory was measured with the planned sizes.
   *
   * @default - all memory is estimated
   */
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

/** Tensors of other slices, and the request if the slice reads from it. */
function readsOf({ inputs }: SliceWiring): number {
  const fromSlices = inputs.filter(({ source }) => source.from === 'slice').length;
  return fromSlices + (fromSlices < inputs.length ? 1 : 0);
}
