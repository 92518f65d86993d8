/** Puts a model together from fields copied verbatim and fields made anew, without loading a weight. */
import type { Chunk } from './chunks';
import { submessage } from './chunks';
import { encodeExternalTensor, encodeGraphName, encodeTensorHead } from './encode';
import { ONNX_INT32, ONNX_INT64 } from './data-type';
import { GRAPH, MODEL } from './fields';
import { MAX_SHAPE_BYTES, MIN_EXTERNAL_BYTES } from './limits';
import { putTogether } from './external-bodies';
import type { Initializer, LocalFunction, Model, Node, TensorWithData, Tensor, ValueIndex } from './model';
import { OMITTED } from './model';

/** Element types of shapes, axes and sizes. */
const INTEGERS = [ONNX_INT32, ONNX_INT64];

/** Lowest IR version in which an initializer need not be a graph input as well. */
const FREE_INITIALIZERS_IR_VERSION = 4;

/** Where a weight lies beside the model. */
export interface WeightPlace {
  /** A file's path, relative to the model. */
  readonly location: string;
  /** In bytes. */
  readonly offset: number;
}

/** Gives each weight of the model being put together its place. */
export type PlaceWeight = (tensor: TensorWithData) => WeightPlace;

export interface ModelParts {
  /** Nodes in a topological order; `Constant` nodes that hold weights become initializers. */
  readonly nodes: readonly Node[];
  /** Values of the initializers to include. */
  readonly initializers: readonly ValueIndex[];
  /** Fields of the graph that declare its inputs and outputs. */
  readonly declarations: readonly Chunk[];
  readonly functions: readonly LocalFunction[];
  /** Fields of the model beyond those of its header. */
  readonly metadata: readonly Chunk[];
  readonly placeWeight: PlaceWeight;
}

/** The bytes of a model that has the header, opsets and names of `model` and the given parts of its graph. */
export function encodeModel(model: Model, parts: ModelParts): Chunk[] {
  const { graph } = model;
  const nodes: Chunk[] = [];
  const initializers: Chunk[] = [];
  for (const node of parts.nodes) {
    const { constant } = node;
    if (constant?.data && isStoredOutside(model, constant)) {
      const { name } = graph.values[node.outputs[0]];
      const tensor = { ...constant, name, data: constant.data };
      initializers.push(...tensorField(GRAPH.initializer, tensor, parts.placeWeight));
    } else nodes.push(...copied(GRAPH.node, node, parts.placeWeight));
  }
  for (const value of parts.initializers) {
    const { initializer } = graph.values[value];
    if (initializer !== undefined)
      initializers.push(...initializerField(graph.initializers[initializer], parts.placeWeight));
  }
  const names = new Set(parts.initializers.map((value) => graph.values[value].name));
  for (const { outputs } of parts.nodes) {
    for (const output of outputs) if (output !== OMITTED) names.add(graph.values[output].name);
  }
  const annotations = graph.annotations.filter(({ tensorName }) => names.has(tensorName));
  const content = [
    ...nodes,
    encodeGraphName(graph.name),
    ...initializers,
    ...parts.declarations,
    ...annotations.map(({ field }) => field),
    ...graph.metadata,
  ];
  return [
    ...model.header,
    ...parts.metadata,
    ...parts.functions.flatMap((fn) => copied(MODEL.functions, fn, parts.placeWeight)),
    ...submessage(MODEL.graph, content),
  ];
}

/** Whether the tensor of a `Constant` node is stored as an initializer outside the graph. */
function isStoredOutside(model: Model, tensor: Tensor): boolean {
  if (model.irVersion < FREE_INITIALIZERS_IR_VERSION) return false;
  return tensor.external || goesOutside(tensor);
}

/** Whether the tensor's data leaves the graph. What may be a shape stays, however it was stored. */
function goesOutside({ dataType, dims, byteLength }: Tensor): boolean {
  const mayBeShape = INTEGERS.includes(dataType) && dims.length <= 1 && byteLength <= MAX_SHAPE_BYTES;
  return byteLength >= MIN_EXTERNAL_BYTES && !mayBeShape;
}

function initializerField({ tensor, sparse, field }: Initializer, place: PlaceWeight): Chunk[] {
  if (sparse || !tensor.data) return [field];
  if (!tensor.external && !goesOutside(tensor)) return [field];
  return tensorField(GRAPH.initializer, { ...tensor, data: tensor.data }, place);
}

/** The tensor as a field: with its data in the weights file, or in itself where it is small. */
function tensorField(fieldNumber: number, tensor: TensorWithData, place: PlaceWeight): Chunk[] {
  const { name, data } = tensor;
  return goesOutside(tensor)
    ? submessage(fieldNumber, [encodeExternalTensor(name, tensor, place(tensor))])
    : submessage(fieldNumber, [encodeTensorHead(name, tensor), data]);
}

/** A node or a function: its own bytes, but for external data in its bodies. */
function copied(
  fieldNumber: number,
  { field, pieces }: Pick<Node | LocalFunction, 'field' | 'pieces'>,
  place: PlaceWeight,
): Chunk[] {
  if (!pieces) return [field];
  return submessage(
    fieldNumber,
    putTogether(pieces, (number, tensor) => tensorField(number, tensor, place)),
  );
}
