/** Planned types with the sizes of a run, or of a profile, in place of estimates. */
import { type Model, type NodeIndex, OMITTED } from '../onnx/model';
import { type DataSizes, runName } from './data-sizes';
import { type PlannedTypes, sizedBy } from './planned-types';
import { isKnown } from './value-types';

/**
 * An empty tensor, or a loop without iterations, keeps its estimate: generated inputs may be ones in which the model finds nothing.
 */
export function withDataSizes(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  planned: PlannedTypes,
  data: DataSizes,
): PlannedTypes {
  const { graph } = model;
  const types = [...planned.types];
  const iterations = graph.nodes.map((node) => {
    const name = runName(graph, node);
    if (!Object.hasOwn(data.nodes, name)) return undefined;
    const { tensors, iterations: count } = data.nodes[name];
    const outputs = node.outputs.filter((output) => output !== OMITTED);
    // The profiler leaves out what is not a tensor, so it is then unknown which tensor is which output.
    if (tensors.length === outputs.length)
      outputs.forEach((value, place) => {
        const tensor = tensors[place];
        if (tensor !== null && !isKnown(types[value]) && !tensor.shape.includes(0)) types[value] = tensor;
      });
    return count > 0 ? count : undefined;
  });
  return { ...planned, ...sizedBy(model, nodesInOrder, types), data, iterations };
}
