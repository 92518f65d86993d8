/** What each slice of a wired cut holds and moves. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { SliceWiring, Wiring } from '../wiring';

/** @param bytes by value: the bytes that it is planned with */
export function sliceSizes(dataflow: Dataflow, { slices }: Wiring, bytes: readonly number[]): SliceSize[] {
  const table = new WeightTable(dataflow, bytes);
  const sum = (values: readonly ValueIndex[]): number =>
    values.reduce((total, value) => total + bytes[value], 0);
  return slices.map((slice) => {
    const held = new HeldWeights(table);
    for (const node of slice.nodes) held.addNode(node);
    for (const value of slice.outputs) held.addValue(value);
    const { weightBytes, bodyBytes } = held;
    const made = slice.allNodes.filter((node) => !dataflow.isConstantNode[node]);
    return {
      weightBytes,
      bodyBytes,
      activationBytes: mostAtATime(dataflow, slice, made, bytes),
      readBytes: sum(slice.inputs.map(({ value }) => value)),
      writeBytes: sum(slice.outputs),
      computedBytes: made.reduce((total, node) => total + table.outputBytes(node), 0),
    };
  });
}

/** The most bytes that the values made by the nodes, which run in their order, take at one time. */
function mostAtATime(
  { model, needs }: Dataflow,
  { outputs }: SliceWiring,
  nodes: readonly NodeIndex[],
  bytes: readonly number[],
): number {
  const lastUse = new Map<ValueIndex, NodeIndex>();
  for (const node of nodes) for (const value of needs[node]) lastUse.set(value, node);
  const kept = new Set(outputs);
  let live = 0;
  let most = 0;
  const endingAt = new Map<NodeIndex, number>();
  for (const node of nodes) {
    for (const output of model.graph.nodes[node].outputs) {
      if (output === OMITTED) continue;
      live += bytes[output];
      if (kept.has(output)) continue;
      const end = lastUse.get(output) ?? node;
      endingAt.set(end, (endingAt.get(end) ?? 0) + bytes[output]);
    }
    most = Math.max(most, live);
    live -= endingAt.get(node) ?? 0;
  }
  return most;
}
