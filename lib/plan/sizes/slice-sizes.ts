/** Computes the sizes of the slices of a wired cut. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { SliceWiring, Wiring } from '../wiring/wiring';
import type { ModelMemory } from './node-memory';
import { modelMemory } from './node-memory';
import { RunMemory } from './run-memory';
import { ArenaPool } from './tensor-pool';

/** @param bytes by value: its planned bytes */
export function sliceSizes(dataflow: Dataflow, { slices }: Wiring, bytes: readonly number[]): SliceSize[] {
  const table = new WeightTable(dataflow, bytes);
  const memory = modelMemory(dataflow, bytes);
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
  memory: ModelMemory,
  { allNodes, outputs }: SliceWiring,
  own: readonly NodeIndex[],
): Pick<SliceSize, 'activationBytes' | 'largestBytes' | 'nodes'> {
  const { needs, model, isRepeated } = memory.dataflow;
  const { nodes, values } = model.graph;
  const uses = new Int32Array(values.length);
  for (const node of allNodes) for (const value of needs[node]) uses[value]++;
  for (const value of outputs) uses[value]++;
  const computed = new Set(allNodes.flatMap((node) => nodes[node].outputs));
  const pool = new ArenaPool(memory.heirs.map((heir) => (computed.has(heir) ? heir : -1)));
  const run = new RunMemory(memory, uses, pool);
  for (const node of own) run.run(node);
  run.runRepeated(allNodes.filter((node) => isRepeated[node]));
  return {
    activationBytes: pool.peakBytes + run.sharedBytes,
    largestBytes: run.largestBytes,
    nodes: run.nodes,
  };
}
