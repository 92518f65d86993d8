/** The types and sizes for which a model is planned: every dimension has a size, given or assumed. */
import { ChildError } from '../host/run-child';
import { type Model, type NodeIndex, type ValueIndex, OMITTED } from '../onnx/model';
import { type SizeHints, assumedSizes } from './assumed-sizes';
import { boundElements } from './bounds';
import { type BodyNode, type DataSizes, runName } from './data-sizes';
import { inferFoldedTypes, inferTimeoutMs, inferTypes } from './infer';
import {
  type DimensionSizes,
  type ValueType,
  type ValueTypes,
  givenSize,
  isKnown,
  sizedShape,
  sortedSizes,
  symbolicDimensions,
  tensorBytes,
} from './value-types';

export interface PlannedTypes {
  /** A size for each symbolic dimension of the inputs that a request provides, by name. */
  readonly dimensions: DimensionSizes;
  /** The names of the dimensions whose sizes are assumed, sorted. */
  readonly assumed: readonly string[];
  /** By value: its type. A dimension is a number, unless it depends on data. */
  readonly types: ValueTypes;
  /** By value: its number of elements; an estimate where it depends on data, see `boundElements`. */
  readonly elements: readonly number[];
  /** By value: its bytes, for these elements. */
  readonly bytes: readonly number[];
  /** The values of unknown size whose node has only inputs of known sizes. */
  readonly bounded: readonly ValueIndex[];
  /** Why ONNX Runtime does not load the model with `dimensions`, so that most sizes are estimates; absent if it does. */
  readonly refusal?: string;
  /** The run from which sizes and iterations come that depend on data; absent if none does. */
  readonly data?: DataSizes;
  /** By node: the nodes of its bodies that ran; `undefined` if that is unknown. */
  readonly bodies?: readonly (readonly BodyNode[] | undefined)[];
}

/**
 * Chooses sizes for all symbolic dimensions, and infers the shapes of all values for them.
 *
 * @param types what `inferTypes` has returned for the model without sizes
 */
export function planTypes(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  types: ValueTypes,
  given: DimensionSizes,
): PlannedTypes {
  const candidates = candidateSizes(model, types, given);
  const { sizes, shaped, refusal } = typesAt(candidates, model, nodesInOrder, types);
  const fixed = withInputSizes(model, shaped, sizes);
  return {
    dimensions: sortedSizes(sizes),
    assumed: Object.keys(sizes)
      .filter((name) => givenSize(given, name) === undefined)
      .sort(),
    ...sizedBy(model, nodesInOrder, fixed),
    ...(refusal !== undefined && { refusal }),
  };
}

/**
 * Plans with the sizes of a run. An empty tensor, or a loop without iterations, keeps its estimate: generated inputs may be ones in which the
 * model finds nothing.
 */
export function withDataSizes(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  planned: PlannedTypes,
  data: DataSizes,
): PlannedTypes {
  const types = [...planned.types];
  const bodies = model.graph.nodes.map((node) => {
    const name = runName(model.graph, node);
    const { tensors, body } = Object.hasOwn(data.nodes, name) ? data.nodes[name] : { tensors: [], body: [] };
    const outputs = node.outputs.filter((output) => output !== OMITTED);
    outputs.forEach((value, place) => {
      // If a sequence is missing among the tensors, it is unknown which tensor is which output.
      const tensor = tensors.length === outputs.length ? tensors[place] : null;
      if (tensor !== null && !isKnown(types[value]) && !tensor.shape?.includes(0)) types[value] = tensor;
    });
    return body.length > 0 ? body : undefined;
  });
  return { ...planned, ...sizedBy(model, nodesInOrder, types), data, bodies };
}

/** What follows from the types with all sizes that are known. */
function sizedBy(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  types: ValueTypes,
): Pick<PlannedTypes, 'types' | 'elements' | 'bytes' | 'bounded'> {
  const { elements, bounded } = boundElements(model, nodesInOrder, types);
  const bytes = types.map(({ dtype }, value) => tensorBytes(dtype, elements[value]));
  return { types, elements, bytes, bounded };
}

function candidateSizes(model: Model, types: ValueTypes, given: DimensionSizes): DimensionSizes[] {
  const { graph } = model;
  if (symbolicDimensions(graph).length === 0) return [given];
  const inputs = graph.inputs
    .filter(({ value }) => graph.values[value].initializer === undefined)
    .map(({ value }) => ({ name: graph.values[value].name, ...types[value] }));
  return assumedSizes(inputs, given, sizeHints(model));
}

type ShapedTypes = Pick<PlannedTypes, 'refusal'> & {
  readonly sizes: DimensionSizes;
  readonly shaped: ValueTypes;
};

/**
 * The shapes at the first sizes with which ONNX Runtime loads the model. If it refuses all of them, or if folding fails, the
 * shapes are those that need no folding; names of dimensions in them have the most plausible sizes.
 */
function typesAt(
  candidates: readonly DimensionSizes[],
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  types: ValueTypes,
): ShapedTypes {
  const [first] = candidates;
  const named = { sizes: first, shaped: types.map((type) => withSizes(type, first)) };
  if (named.shaped.every(isKnown)) return named;
  let refusal: ChildError | undefined;
  // All attempts together have the time of one.
  const deadline = performance.now() + inferTimeoutMs(model);
  let left = deadline - performance.now();
  for (const sizes of candidates) {
    const shaped = inferFoldedTypes(model, nodesInOrder, sizes, types, left);
    if (!(shaped instanceof ChildError)) return { sizes, shaped };
    refusal ??= shaped;
    // After an attempt that takes too long, ONNX Runtime would hang with other sizes too.
    left = shaped.failure === 'timeout' ? 0 : deadline - performance.now();
    if (left <= 0) break;
  }
  if (Object.keys(first).length === 0) return named;
  const refused = { ...named, ...(refusal && { refusal: refusal.got }) };
  if (left <= 0) return refused;
  // ONNX Runtime loads the model without sizes, so it may run with them: it checks branches that never run, too.
  const shaped = inferTypes(model, nodesInOrder, first);
  return shaped instanceof ChildError ? refused : { ...refused, shaped };
}

function withSizes(type: ValueType, sizes: DimensionSizes): ValueType {
  const shape = type.shape?.map((dimension) =>
    typeof dimension === 'string' ? (givenSize(sizes, dimension) ?? dimension) : dimension,
  );
  return { ...type, shape: shape ?? null };
}

function withInputSizes({ graph }: Model, types: ValueTypes, sizes: DimensionSizes): ValueTypes {
  const fixed = [...types];
  for (const { value } of graph.inputs) {
    const { name, initializer } = graph.values[value];
    const shape =
      initializer === undefined
        ? sizedShape(name, types[value].shape, sizes)
        : graph.initializers[initializer].tensor.dims;
    fixed[value] = { ...types[value], shape };
  }
  return fixed;
}

/** Keys of metadata, in lower case, with the height and width of pictures: `imgsz` is that of Ultralytics. */
const PICTURE_KEYS = ['imgsz', 'image_size', 'img_size', 'input_size', 'crop_size'];
const SEQUENCE_KEYS = 'max_length max_seq_length max_sequence_length model_max_length context_length'.split(
  ' ',
);

const MAX_HINT = 1e6;

export function sizeHints({ properties, graph }: Pick<Model, 'properties' | 'graph'>): SizeHints {
  const stated = new Map([...properties].map(([key, value]) => [key.toLowerCase(), numbersOf(value)]));
  const find = (keys: readonly string[]): readonly number[] | undefined =>
    keys.map((key) => stated.get(key)).find((numbers) => numbers !== undefined);
  const picture = find(PICTURE_KEYS);
  const limits = [find(SEQUENCE_KEYS)?.[0], positions(graph)].filter((size) => size !== undefined);
  return {
    ...(picture && { picture: [picture[0], picture.at(1) ?? picture[0]] as const }),
    ...(limits.length > 0 && { maxSequence: Math.min(...limits) }),
  };
}

/** One or two sizes, such as `640` or `[480, 640]`; `undefined` for another text. */
function numbersOf(text: string): readonly number[] | undefined {
  if (!/^\s*[[(]?\s*\d{1,7}\s*([,x]\s*\d{1,7}\s*)?[\])]?\s*$/.test(text)) return undefined;
  const numbers = (text.match(/\d+/g) ?? []).map(Number);
  return numbers.every((size) => size >= 1 && size <= MAX_HINT) ? numbers : undefined;
}

/** The number of rows of a table of embeddings by position, which limits the length of a sequence. */
function positions({ initializers, values }: Model['graph']): number | undefined {
  const rows = initializers
    .filter(({ value, tensor }) => tensor.dims.length === 2 && /position_?embed/i.test(values[value].name))
    .map(({ tensor }) => tensor.dims[0])
    .filter((size) => size >= 2);
  return rows.length === 0 ? undefined : rows.reduce((least, size) => Math.min(least, size));
}
