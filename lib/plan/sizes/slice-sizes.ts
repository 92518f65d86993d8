/** Computes the sizes of the slices of a wired cut. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { SliceWiring, Wiring } from '../wiring/wiring';
import type { ModelMemory } from './node-memory';
import { modelMemory, repeatedProducers, usesFrom } from './node-memory';
import { RunMemory } from './run-memory';
import { ArenaPool } from './tensor-pool';

/** @param bytes by value: its planned bytes */
export function sliceSizes(dataflow: Dataflow, { slices }: Wiring, bytes: readonly number[]): SliceSize[] {
  const table = new WeightTable(dataflow, bytes);
  const memory = modelMemory(dataflow, bytes);
  const position = new Map(dataflow.order.map((node, place) => [node, place]));
  const sum = (values: readonly ValueIndex[]): number =>
    values.reduce((total, value) => total + bytes[value], 0);
  return slices.map((slice) => {
    const held = new HeldWeights(table);
    for (const node of slice.nodes) held.addNode(node);
    for (const value of slice.outputs) held.addValue(value);
    return {
      weightBytes: held.weightBytes,
      mappedBytes: held.mappedBytes,
      bodyBytes: held.bodyBytes,
      ...runSizes(memory, slice, position),
      readBytes: sum(slice.inputs.map(({ value }) => value)),
      writeBytes: sum(slice.outputs),
      computedBytes:
        slice.nodes.reduce((total, node) => total + table.outputBytes(node), 0) + held.repeatedBytes,
    };
  });
}

/** The same as `sizeStretches` computes if the slice is a stretch of `order`. */
function runSizes(
  memory: ModelMemory,
  { nodes, outputs }: SliceWiring,
  position: ReadonlyMap<NodeIndex, number>,
): Pick<SliceSize, 'activationBytes' | 'copiedBytes' | 'largestBytes' | 'nodes'> {
  const start = nodes.reduce((first, node) => Math.min(first, position.get(node) ?? first), Infinity);
  const pool = new ArenaPool(memory.heirs);
  const run = new RunMemory(memory, usesFrom(memory, start), pool);
  for (const node of nodes) run.run(node);
  run.runRepeated(repeatedProducers(memory.dataflow, outputs));
  return {
    activationBytes: pool.peakBytes,
    copiedBytes: run.sharedBytes,
    largestBytes: run.largestBytes,
    nodes: run.nodes,
  };
}
