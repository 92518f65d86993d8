/** Computes the sizes of the slices of a wired cut. */
import type { NodeIndex, ValueIndex } from '../../onnx/model';
import { OMITTED } from '../../onnx/model';
import type { SliceSize } from './estimate';
import type { Dataflow } from '../../dataflow/dataflow';
import { HeldWeights, WeightTable } from '../../dataflow/weights';
import type { NodeWork } from '../../work/node-work';
import type { SliceWiring, Wiring } from '../wiring/wiring';

/**
 * @param bytes by value: its planned bytes
 * @param work by node: seconds of computing
 */
export function sliceSizes(
  dataflow: Dataflow,
  { slices }: Wiring,
  bytes: readonly number[],
  work: NodeWork,
): SliceSize[] {
  const table = new WeightTable(dataflow, bytes);
  const sum = (values: readonly ValueIndex[]): number =>
    values.reduce((total, value) => total + bytes[value], 0);
  return slices.map((slice) => {
    const held = new HeldWeights(table);
    for (const node of slice.nodes) held.addNode(node);
    for (const value of slice.outputs) held.addValue(value);
    const { weightBytes, bodyBytes } = held;
    const computing = slice.allNodes.filter((node) => !dataflow.isConstantNode[node]);
    return {
      weightBytes,
      bodyBytes,
      activationBytes: peakBytes(dataflow, slice, computing, bytes),
      readBytes: sum(slice.inputs.map(({ value }) => value)),
      writeBytes: sum(slice.outputs),
      computedBytes: computing.reduce((total, node) => total + table.outputBytes(node), 0),
      readTensors: readsOf(slice),
      coreSeconds: slice.allNodes.reduce((total, node) => total + work[node], 0),
    };
  });
}

/** Tensors of other slices, and the request if the slice reads from it. */
function readsOf({ inputs }: SliceWiring): number {
  const fromSlices = inputs.filter(({ source }) => source.from === 'slice').length;
  return fromSlices + (fromSlices < inputs.length ? 1 : 0);
}

/** The peak size of the values that the nodes compute when they run in the given order. */
function peakBytes(
  { model, needs }: Dataflow,
  { outputs }: SliceWiring,
  nodes: readonly NodeIndex[],
  bytes: readonly number[],
): number {
  const lastUse = new Map<ValueIndex, NodeIndex>();
  for (const node of nodes) for (const value of needs[node]) lastUse.set(value, node);
  const written = new Set(outputs);
  let live = 0;
  let peak = 0;
  const endingAt = new Map<NodeIndex, number>();
  for (const node of nodes) {
    for (const output of model.graph.nodes[node].outputs) {
      if (output === OMITTED) continue;
      live += bytes[output];
      if (written.has(output)) continue;
      const end = lastUse.get(output) ?? node;
      endingAt.set(end, (endingAt.get(end) ?? 0) + bytes[output]);
    }
    peak = Math.max(peak, live);
    live -= endingAt.get(node) ?? 0;
  }
  return peak;
}
