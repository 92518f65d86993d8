/** Computes the sizes of the slices of a wired cut. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { SliceWiring, Wiring } from '../wiring/wiring';
import type { NodeMemory } from './node-memory';
import { nodeMemory } from './node-memory';
import { RunMemory } from './run-memory';

/** @param bytes by value: its planned bytes */
export function sliceSizes(dataflow: Dataflow, { slices }: Wiring, bytes: readonly number[]): SliceSize[] {
  const table = new WeightTable(dataflow, bytes);
  const memory = nodeMemory(dataflow, bytes);
  const sum = (values: readonly ValueIndex[]): number =>
    values.reduce((total, value) => total + bytes[value], 0);
  return slices.map((slice) => {
    const held = new HeldWeights(table);
    for (const node of slice.nodes) held.addNode(node);
    for (const value of slice.outputs) held.addValue(value);
    const own = slice.allNodes.filter((node) => !dataflow.isRepeated[node]);
    return {
      ...held.sizes,
      ...runSizes(memory, slice, own),
      readBytes: sum(slice.inputs.map(({ value }) => value)),
      writeBytes: sum(slice.outputs),
      computedBytes: own.reduce((total, node) => total + table.outputBytes(node), 0) + held.repeatedBytes,
    };
  });
}

/** @param own the slice's nodes in a topological order, without repeated nodes */
function runSizes(
  memory: NodeMemory,
  { allNodes, outputs }: SliceWiring,
  own: readonly NodeIndex[],
): RunMemory['sizes'] {
  const { needs, model } = memory.dataflow;
  const uses = new Int32Array(model.graph.values.length);
  for (const node of allNodes) for (const value of needs[node]) uses[value]++;
  for (const value of outputs) uses[value]++;
  const run = new RunMemory(memory, uses);
  for (const node of own) run.run(node);
  for (const value of outputs) run.compute(value);
  return run.sizes;
}
