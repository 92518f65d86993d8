/** Builds the models of which ONNX Runtime infers types: without large weights, and with every value as an output. */
import type { Dimension } from '../../contract/tensors';
import { encodeValueInfo } from '../onnx/encode';
import { type PlaceWeight, FREE_INITIALIZERS_IR_VERSION, encodeModel } from '../onnx/encode-model';
import { GRAPH } from '../onnx/fields';
import {
  type Chunk,
  type GraphInput,
  type Model,
  type Node,
  type NodeIndex,
  type Tensor,
  type ValueIndex,
  OMITTED,
} from '../onnx/model';
import { type DimensionSizes, sizedShape } from './value-types';

/** The file that replaces weights: sparse, and as long as the largest weight. */
export const ZEROS_FILE = 'zeros.weights';

/**
 * A foldable model has the weights below this size, because shapes may depend on them. Masks and tables of indexes are smaller.
 * A larger weight is an input, so ONNX Runtime neither reads it nor computes anything from it.
 */
const MAX_VISIBLE_WEIGHT_BYTES = 64 * 1024;

/** Most bytes of all weights in a foldable model. Its file is written and read. */
const MAX_VISIBLE_BYTES = 64 * 2 ** 20;

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

/** A model in which every large weight is zero. */
export function buildSkeleton(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  sizes: DimensionSizes,
): Skeleton {
  const { graph } = model;
  return encodeExposed(model, {
    nodes: nodesInOrder.map((index) => graph.nodes[index]),
    initializers: graph.initializers.map(({ value }) => value),
    inputs: graph.inputs.map((input) => inputField(model, input, sizes)),
    isInside: () => false,
  });
}

/**
 * A model in which ONNX Runtime can fold constants: the small weights are real, and the large ones are inputs.
 *
 * @param given outputs of nodes; the model leaves these nodes out
 */
export function buildFoldable(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  sizes: DimensionSizes,
  given: GivenTypes = new Map(),
): Skeleton {
  const { graph } = model;
  const isVisible = visibility();
  const initializers: ValueIndex[] = [];
  const hidden: Uint8Array[] = [];
  for (const { value, tensor } of graph.initializers) {
    if (isVisible(tensor)) initializers.push(value);
    else hidden.push(tensorInput(graph.values[value].name, tensor));
  }
  const nodes: Node[] = [];
  for (const node of nodesInOrder.map((index) => graph.nodes[index])) {
    const { constant, outputs } = node;
    if (outputs.some((output) => given.has(output))) continue;
    if (constant === undefined || isVisible(constant)) nodes.push(node);
    else hidden.push(tensorInput(graph.values[node.outputs[0]].name, constant));
  }
  const kept = new Set(initializers);
  const inputs = graph.inputs.filter(({ value }) => {
    if (graph.values[value].initializer === undefined) return true;
    // ONNX Runtime folds no initializer that is also an input, unless the format requires all of them to be inputs.
    return model.irVersion < FREE_INITIALIZERS_IR_VERSION && kept.has(value);
  });
  return encodeExposed(model, {
    nodes,
    initializers,
    inputs: [
      ...inputs.map((input) => inputField(model, input, sizes)),
      ...hidden,
      ...[...given].map(([value, type]) => encodeValueInfo(GRAPH.input, graph.values[value].name, type)),
    ],
    isInside: ({ byteLength }) => byteLength < MAX_VISIBLE_WEIGHT_BYTES,
  });
}

interface ExposedParts {
  readonly nodes: readonly Node[];
  readonly initializers: readonly ValueIndex[];
  readonly inputs: readonly Chunk[];
  readonly isInside: (tensor: Tensor) => boolean;
}

function encodeExposed(model: Model, { nodes, initializers, inputs, isInside }: ExposedParts): Skeleton {
  const { graph } = model;
  let zerosBytes = 0;
  const placeWeight: PlaceWeight = (tensor) => {
    if (isInside(tensor)) return undefined;
    zerosBytes = Math.max(zerosBytes, tensor.byteLength);
    return { location: ZEROS_FILE, offset: 0 };
  };
  const exposed = nodes.flatMap(({ outputs }) => outputs.filter((output) => output !== OMITTED));
  const outputs = exposed.map((value) => encodeValueInfo(GRAPH.output, graph.values[value].name));
  const chunks = encodeModel(model, {
    nodes,
    initializers,
    declarations: [...inputs, ...outputs],
    functions: model.functions,
    metadata: [],
    placeWeight,
  });
  return { chunks, zerosBytes, exposed };
}

function visibility(): (tensor: Tensor) => boolean {
  let room = MAX_VISIBLE_BYTES;
  return ({ byteLength }) => {
    if (byteLength >= MAX_VISIBLE_WEIGHT_BYTES || byteLength > room) return false;
    room -= byteLength;
    return true;
  };
}

function tensorInput(name: string, { dataType, dims }: Tensor): Uint8Array {
  return encodeValueInfo(GRAPH.input, name, { dataType, shape: dims });
}

function inputField({ graph }: Model, { value, type, field }: GraphInput, sizes: DimensionSizes): Chunk {
  const { name } = graph.values[value];
  const { dataType } = type;
  const shape: readonly Dimension[] | null = sizedShape(name, type.shape ?? null, sizes);
  const isChanged = shape?.some((dimension, axis) => dimension !== type.shape?.[axis]) ?? false;
  if (!isChanged || dataType === undefined || shape === null) return field;
  return encodeValueInfo(GRAPH.input, name, { dataType, shape });
}
