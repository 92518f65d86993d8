/** Memory of what ONNX Runtime computes of constants when it loads a model with all of its optimizations. */
import type { Dataflow } from '../../dataflow/dataflow';
import type { NodeIndex } from '../../onnx/model';
import { memoryMb, type MemorySize } from './estimate';

/**
 * Measured peaks beside those without optimization: 145 MB for 102 MB that a ConstantOfShape fills, and 85 MB for 88 MB of weights that
 * Cast and Mul make of int8. `npm run bench:function` prints peaks.
 */
const PEAK_OF_FOLDED = 1.5;

/** Convolutions hold a second copy of their weights, in the layout of their kernels: 98 MB more for the 102 MB above. */
const CONVOLUTIONS = ['Conv', 'ConvTranspose'];

/** Stays in the graph, for the operators on 8-bit integers that ONNX Runtime makes of it and its neighbors. */
const DEQUANTIZE = 'DequantizeLinear';

/** Memory, in MB, of a function that loads a whole model with all optimizations. @param bytes by value */
export function optimizedMemoryMb(dataflow: Dataflow, bytes: ArrayLike<number>, size: MemorySize): number {
  return memoryMb({ ...size, activationBytes: size.activationBytes + foldedPeakBytes(dataflow, bytes) });
}

/** @param bytes by value */
export function foldedPeakBytes(
  { model: { graph }, isConstantNode, rank }: Dataflow,
  bytes: ArrayLike<number>,
): number {
  const isFolded = new Set<NodeIndex>();
  const producerOf = (value: number): NodeIndex | undefined => graph.values.at(value)?.producer;
  const sorted = [...graph.nodes].sort((one, other) => rank[one.index] - rank[other.index]);
  for (const { index, opType, inputs, constant } of sorted) {
    if (!isConstantNode[index] || opType === DEQUANTIZE) continue;
    const made = inputs.flatMap((value) => producerOf(value) ?? []);
    // A tensor that a node holds is a weight already.
    const isWeight = (node: NodeIndex): boolean => graph.nodes[node].constant !== undefined;
    if (constant === undefined && made.every((node) => isFolded.has(node) || isWeight(node)))
      isFolded.add(index);
  }
  const copies = new Map<number, number>();
  for (const { index, opType, inputs } of graph.nodes) {
    if (isFolded.has(index)) continue;
    const factor = PEAK_OF_FOLDED + (CONVOLUTIONS.includes(opType) ? 1 : 0);
    for (const value of inputs) {
      const node = producerOf(value);
      if (node !== undefined && isFolded.has(node))
        copies.set(value, Math.max(factor, copies.get(value) ?? 0));
    }
  }
  return [...copies].reduce((sum, [value, factor]) => sum + factor * bytes[value], 0);
}
