/** Encodes a model from fields that it copies verbatim and fields that it writes anew, without loading a weight. */
import { submessage, encodeExternalTensor, encodeGraphName, encodeTensorHead } from './encode';
import { ONNX_INT32, ONNX_INT64 } from './data-type';
import { putTogether } from './external-bodies';
import { GRAPH, MODEL } from './fields';
import { MAX_SHAPE_BYTES, MIN_EXTERNAL_BYTES } from './limits';
import type * as onnx from './model';

/** Element types of shapes, axes and sizes. */
const INTEGERS = [ONNX_INT32, ONNX_INT64];

/** First IR version in which an initializer does not have to be a graph input as well. */
export const FREE_INITIALIZERS_IR_VERSION = 4;

/**
 * Chooses the place of a weight that may leave the graph; `undefined` keeps it inside. Called once for each such weight, in the
 * order of the graph.
 */
export type PlaceWeight = (
  tensor: onnx.TensorWithData,
) => { readonly location: string; readonly offset: number } | undefined;

interface ModelParts {
  /** Nodes in a topological order. `Constant` nodes that hold large tensors become initializers. */
  readonly nodes: readonly onnx.Node[];
  readonly initializers: readonly onnx.ValueIndex[];
  readonly declarations: readonly onnx.Chunk[];
  readonly functions: readonly onnx.LocalFunction[];
  readonly metadata: readonly onnx.Chunk[];
  readonly placeWeight: PlaceWeight;
}

export function encodeModel(model: onnx.Model, parts: ModelParts): onnx.Chunk[] {
  const { graph } = model;
  const nodes: onnx.Chunk[] = [];
  const initializers: onnx.Chunk[] = [];
  for (const node of parts.nodes) {
    const { constant } = node;
    if (constant?.data && isStoredOutside(model, constant)) {
      const { name } = graph.values[node.outputs[0]];
      const tensor = { ...constant, name, data: constant.data };
      initializers.push(...tensorField(GRAPH.initializer, tensor, parts.placeWeight));
    } else for (const chunk of copied(GRAPH.node, node, parts.placeWeight)) nodes.push(chunk);
  }
  for (const value of parts.initializers) {
    const { initializer } = graph.values[value];
    if (initializer !== undefined)
      initializers.push(...initializerField(graph.initializers[initializer], parts.placeWeight));
  }
  const content = [
    ...nodes,
    encodeGraphName(graph.name),
    ...initializers,
    ...parts.declarations,
    ...graph.metadata,
  ];
  return [
    ...model.header,
    ...parts.metadata,
    ...parts.functions.flatMap((fn) => copied(MODEL.functions, fn, parts.placeWeight)),
    ...submessage(MODEL.graph, content),
  ];
}

function isStoredOutside(model: onnx.Model, tensor: onnx.Tensor): boolean {
  if (model.irVersion < FREE_INITIALIZERS_IR_VERSION) return false;
  return tensor.external || goesOutside(tensor);
}

/** Whether the tensor's data leaves the graph. A tensor that may be a shape stays or moves into the graph. */
function goesOutside({ dataType, dims, byteLength }: onnx.Tensor): boolean {
  const mayBeShape = INTEGERS.includes(dataType) && dims.length <= 1 && byteLength <= MAX_SHAPE_BYTES;
  return byteLength >= MIN_EXTERNAL_BYTES && !mayBeShape;
}

function initializerField({ tensor, field }: onnx.Initializer, place: PlaceWeight): onnx.Chunk[] {
  if (!tensor.data) return [field];
  if (!tensor.external && !goesOutside(tensor)) return [field];
  return tensorField(GRAPH.initializer, { ...tensor, data: tensor.data }, place);
}

function tensorField(fieldNumber: number, tensor: onnx.TensorWithData, place: PlaceWeight): onnx.Chunk[] {
  const { name, data } = tensor;
  const outside = goesOutside(tensor) ? place(tensor) : undefined;
  return outside
    ? submessage(fieldNumber, [encodeExternalTensor(name, tensor, outside)])
    : submessage(fieldNumber, [encodeTensorHead(name, tensor), data]);
}

function copied(
  fieldNumber: number,
  { field, pieces }: Pick<onnx.Node | onnx.LocalFunction, 'field' | 'pieces'>,
  place: PlaceWeight,
): onnx.Chunk[] {
  if (!pieces) return [field];
  return submessage(
    fieldNumber,
    putTogether(pieces, (number, tensor) => tensorField(number, tensor, place)),
  );
}
