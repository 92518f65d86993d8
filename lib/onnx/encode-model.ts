/** Puts a model together from fields copied verbatim and fields made anew, without loading a weight. */
import type { Chunk } from './chunks';
import { submessage } from './chunks';
import { encodeExternalTensor, encodeGraphName, encodeTensorHead } from './encode';
import { ONNX_INT32, ONNX_INT64 } from './data-type';
import { MAX_SHAPE_BYTES, MIN_EXTERNAL_BYTES } from './limits';
import type { ByteRange, Initializer, LocalFunction, Model, Node, Tensor, ValueIndex } from './model';
import { OMITTED } from './model';

const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;

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
export type PlaceWeight = (tensor: Tensor & { readonly data: ByteRange }) => WeightPlace;

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
      initializers.push(...weight(name, constant, constant.data, parts.placeWeight));
    } else nodes.push(node.field);
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
    ...parts.functions.map(({ field }) => field),
    ...submessage(MODEL_GRAPH, content),
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
  return weight(tensor.name, tensor, tensor.data, place);
}

function weight(name: string, tensor: Tensor, data: ByteRange, place: PlaceWeight): Chunk[] {
  if (goesOutside(tensor)) {
    return submessage(GRAPH_INITIALIZER, [encodeExternalTensor(name, tensor, place({ ...tensor, data }))]);
  }
  return submessage(GRAPH_INITIALIZER, [encodeTensorHead(name, tensor), data]);
}
