/** What a profile says about a graph: how long its nodes compute, and which tensors its values are. */
import { type Graph, OMITTED } from '../../onnx/model';
import type { ValueTypes } from '../../shapes/value-types';
import { REFERENCE_FLOPS } from '../reference-processor';
import type { ModelProfile } from './profile';

/**
 * By node: seconds on one thread of the reference processor. A time is scaled by the speeds of the two machines. With several
 * threads, it counts for each of them: some kernels use one thread alone, so this is an upper bound.
 */
export function profiledWork({ nodes, machine }: ModelProfile): number[] {
  const scale = machine.threads * (machine.flopsPerSecond / REFERENCE_FLOPS);
  return nodes.map((node) => (node === null ? 0 : node.seconds * scale));
}

/**
 * The types with the shapes that the values had when the model was profiled. Where the profile has none, `types` stay.
 *
 * @param graph of the profile, by its digest
 */
export function profiledTypes(graph: Graph, { nodes }: ModelProfile, types: ValueTypes): ValueTypes {
  const merged = [...types];
  for (const { index, outputs } of graph.nodes) {
    const node = nodes[index];
    if (node === null) continue;
    outputs.forEach((value, place) => {
      const tensor = node.outputs.at(place);
      if (value === OMITTED || tensor === null || tensor === undefined) return;
      merged[value] = { dtype: tensor.dtype, shape: tensor.shape };
    });
  }
  return merged;
}
