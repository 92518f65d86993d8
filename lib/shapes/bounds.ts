/**
 * Estimates the number of elements of values whose sizes depend on data, by what is known of their node's inputs. For operators that
 * move, select, convert or reduce elements, and for products with weights, it is an upper bound if those of the inputs are. For the
 * others it is not: see `SIZED_BY_VALUES` and `keptPart`.
 */
import { type Model, type Node, type NodeIndex, type ValueIndex, OMITTED } from '../onnx/model';
import { type ValueType, type ValueTypes, product } from './value-types';

export interface Bounds {
  /** By value: its number of elements, exact or estimated. */
  readonly elements: readonly number[];
  /** The values of unknown size whose node has only inputs of known sizes. */
  readonly bounded: readonly ValueIndex[];
}

/** Operators with at most as many elements as their first input: they move, select, convert or reduce its elements. */
const FROM_FIRST_INPUT = words(
  `Reshape Flatten Squeeze Unsqueeze Transpose Identity DepthToSpace SpaceToDepth Cast CastLike QuantizeLinear
  DequantizeLinear Dropout ReverseSequence Trilu Slice Split Compress Unique TopK ArgMax ArgMin Hardmax Softmax CumSum
  ScatterElements ScatterND Scatter ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum
  ReduceLogSumExp ReduceSumSquare SequenceAt`,
);

/** Operators with at most as many elements as all of their inputs together. */
const FROM_ALL_INPUTS = words('Concat ConcatFromSequence SequenceConstruct SequenceInsert FeatureVectorizer');

/**
 * Operators that compute a size from the values of their inputs. No more is known than that models rarely make tensors that are
 * larger than what they are given, so the size of the largest input counts, of the node or of the model.
 */
const SIZED_BY_VALUES = words(
  'Expand Tile Range ConstantOfShape OneHot Resize Upsample Pad CenterCropPad If Loop Scan',
);

const PRODUCTS = words('MatMul MatMulInteger');

/** A selected box of `NonMaxSuppression` is a batch, a class and an index. Each score selects its box at most once. */
const SELECTED_BOX_FIELDS = 3;

/** @param types types with all known sizes; a dimension with a name is one whose size is unknown */
export function boundElements(model: Model, nodesInOrder: readonly NodeIndex[], types: ValueTypes): Bounds {
  const { values, nodes, inputs } = model.graph;
  const elements = types.map((type) => knownPart(type));
  const requested = inputs.filter(({ value }) => values[value].initializer === undefined);
  const largestInput = largest(requested.map(({ value }) => elements[value]));
  const largestSize = largest(requested.flatMap(({ value }) => types[value].shape?.filter(isNumber) ?? []));
  const bounded: ValueIndex[] = [];
  const bound = (node: Node, output: ValueIndex): void => {
    const type = types[output];
    if (isKnown(type)) return;
    const given = [...node.inputs, ...node.captures].filter(
      (value) => value !== OMITTED && values[value].initializer === undefined,
    );
    const isList = type.shape?.length === 1;
    elements[output] =
      boundOf(node, { types, elements }) ??
      (SIZED_BY_VALUES.has(node.opType) ? undefined : keptPart(given, { types, elements }, type)) ??
      largest([
        knownPart(type),
        isList ? largestSize : largestInput,
        ...given.map((value) => elements[value]),
      ]);
    if (type.dtype !== undefined && given.every((value) => isKnown(types[value]))) bounded.push(output);
  };
  for (const index of nodesInOrder) {
    const node = nodes[index];
    for (const output of node.outputs) if (output !== OMITTED) bound(node, output);
  }
  return { elements, bounded };
}

/**
 * The elements of a value whose unknown dimensions are those of its node's inputs; `undefined` when the inputs have no unknown
 * dimension. A convolution of a picture of an unknown size has other channels and about as many pixels. An input may have lost
 * more dimensions than the result: the known ones of the result stand for them, and must not count twice.
 */
function keptPart(
  given: readonly ValueIndex[],
  { types, elements }: Known,
  result: ValueType,
): number | undefined {
  const known = knownPart(result);
  const parts = given
    .filter((value) => !isKnown(types[value]) && knownPart(types[value]) > 0)
    .map(
      (value) => elements[value] / (isMoreUnknown(types[value], result) ? known : knownPart(types[value])),
    );
  return parts.length === 0 ? undefined : Math.ceil(known * largest(parts));
}

function isMoreUnknown(one: ValueType, other: ValueType): boolean {
  const unknown = ({ shape }: ValueType): number =>
    shape === null ? Infinity : shape.filter((dimension) => !isNumber(dimension)).length;
  return unknown(one) > unknown(other);
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 1);
}

interface Known {
  readonly types: ValueTypes;
  readonly elements: readonly number[];
}

/** A bound of the elements of each output of the node; `undefined` when its inputs do not bound it. */
function boundOf(node: Node, known: Known): number | undefined {
  const { types, elements } = known;
  const inputs = node.inputs.filter((value) => value !== OMITTED);
  if (node.domain !== '' || inputs.length === 0) return undefined;
  const first = elements[inputs[0]];
  if (FROM_FIRST_INPUT.has(node.opType)) return first;
  if (FROM_ALL_INPUTS.has(node.opType)) return inputs.reduce((sum, value) => sum + elements[value], 0);
  if (PRODUCTS.has(node.opType)) return productElements(inputs, known);
  if (node.opType === 'NonZero') return first * Math.max(1, types[inputs[0]].shape?.length ?? 1);
  if (node.opType === 'NonMaxSuppression') return elements[inputs[1]] * SELECTED_BOX_FIELDS;
  return undefined;
}

/** A weight of K x N makes N elements of K. */
function productElements(
  [left, right]: readonly ValueIndex[],
  { types, elements }: Known,
): number | undefined {
  const [rows, columns, ...more] = types[right].shape ?? [];
  if (!isNumber(rows) || !isNumber(columns) || more.length > 0 || rows === 0) return undefined;
  return Math.ceil((elements[left] / rows) * columns);
}

function knownPart({ shape }: ValueType): number {
  return product((shape ?? []).filter(isNumber));
}

function isKnown({ shape }: ValueType): boolean {
  return shape?.every(isNumber) ?? false;
}

function isNumber(dimension: unknown): dimension is number {
  return typeof dimension === 'number';
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
