/** Builds the skeleton of a model: without weights, and with every value as an output so that ONNX Runtime types it. */
import type { Dimension } from '../../contract/tensors';
import type { Chunk } from '../onnx/chunks';
import { encodeValueInfo } from '../onnx/encode';
import { encodeModel } from '../onnx/encode-model';
import { GRAPH } from '../onnx/fields';
import type { Model, NodeIndex, ValueIndex } from '../onnx/model';
import { OMITTED } from '../onnx/model';
import type { DimensionSizes } from './value-types';
import { dimensionName, givenSize } from './value-types';

/** The file that replaces every weight: sparse, and as long as the largest weight. */
export const ZEROS_FILE = 'zeros.weights';

export interface Skeleton {
  readonly chunks: readonly Chunk[];
  /** Size that `ZEROS_FILE` must have, in bytes. */
  readonly zerosBytes: number;
  /** The values that are outputs of the skeleton, in the order of its outputs. */
  readonly exposed: readonly ValueIndex[];
}

/** Types of values that are inputs of the skeleton instead of results of nodes. */
export type GivenTypes = ReadonlyMap<
  ValueIndex,
  { readonly dataType: number; readonly shape?: readonly Dimension[] }
>;

/**
 * @param nodesInOrder all nodes of the graph in a topological order
 * @param sizes sizes of symbolic dimensions of the graph's inputs
 * @param given outputs of nodes; the skeleton leaves these nodes out
 */
export function buildSkeleton(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  sizes: DimensionSizes,
  given: GivenTypes = new Map(),
): Skeleton {
  const { graph } = model;
  let zerosBytes = 0;
  const nodes = nodesInOrder
    .map((index) => graph.nodes[index])
    .filter(({ outputs }) => !outputs.some((output) => given.has(output)));
  const exposed = nodes.flatMap(({ outputs }) => outputs.filter((output) => output !== OMITTED));
  const inputs = graph.inputs.map(({ value, type, field }) => {
    const { name } = graph.values[value];
    const shape = type.shape?.map(
      (dimension, axis) => givenSize(sizes, dimensionName(name, axis, dimension)) ?? dimension,
    );
    const isChanged = shape?.some((dimension, axis) => dimension !== type.shape?.[axis]);
    return isChanged && type.dataType !== undefined
      ? encodeValueInfo(GRAPH.input, name, { dataType: type.dataType, ...(shape && { shape }) })
      : field;
  });
  const chunks = encodeModel(model, {
    nodes,
    initializers: graph.initializers.map(({ value }) => value),
    declarations: [
      ...inputs,
      ...[...given].map(([value, type]) => encodeValueInfo(GRAPH.input, graph.values[value].name, type)),
      ...exposed.map((value) => encodeValueInfo(GRAPH.output, graph.values[value].name)),
    ],
    functions: model.functions,
    metadata: [],
    placeWeight: ({ byteLength }) => {
      zerosBytes = Math.max(zerosBytes, byteLength);
      return { location: ZEROS_FILE, offset: 0 };
    },
  });
  return { chunks, zerosBytes, exposed };
}
