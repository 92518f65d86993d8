/**
 * Estimates the number of elements of values whose sizes depend on data, by what is known of their node's inputs. For operators that
 * move, select, convert or reduce elements, and for products with weights, it is an upper bound if those of the inputs are. For the
 * others it is not: see `SIZED_BY_VALUES` and `keptPart`.
 */
import { type Model, type Node, type NodeIndex, type ValueIndex, OMITTED } from '../onnx/model';
import { type ValueType, type ValueTypes, product } from './value-types';
import { smallestOf } from '../extremes';

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

/** Operators all of whose results have the size of the first input. ONNX Runtime infers no shape of the mask of a `Dropout`. */
const SAME_SIZE = words('Dropout');

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

/** A selected box of `NonMaxSuppression` is a batch, a class and an index. */
const SELECTED_BOX_FIELDS = 3;

/**
 * @param types types with all known sizes; a dimension with a name is one whose size is unknown
 * @param scalarOf the value of a constant integer without dimensions, where it is known
 */
export function boundElements(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  types: ValueTypes,
  scalarOf: (value: ValueIndex) => number | undefined,
): Bounds {
  const { values, nodes, inputs } = model.graph;
  const dimensions = new UnknownDimensions();
  const elements = types.map((type) => knownPart(type));
  const requested = inputs.filter(({ value }) => values[value].initializer === undefined);
  const largestInput = largest(requested.map(({ value }) => elements[value]));
  const largestSize = largest(requested.flatMap(({ value }) => types[value].shape?.filter(isNumber) ?? []));
  const bounded: ValueIndex[] = [];
  const bound = (node: Node, output: ValueIndex): void => {
    const type = types[output];
    const names = unknownNames(type, output);
    if (names?.length === 0) return;
    const known = knownPart(type);
    const fromDimensions = names && dimensions.bound(names);
    const fromNode = boundOf(node, { types, elements, scalarOf }) ?? Infinity;
    const made = Math.min(fromNode, fromDimensions === undefined ? Infinity : known * fromDimensions);
    const given = [...node.inputs, ...node.captures].filter(
      (value) => value !== OMITTED && values[value].initializer === undefined,
    );
    const isList = type.shape?.length === 1;
    const assume = (): number =>
      (SIZED_BY_VALUES.has(node.opType) ? undefined : keptPart(given, { types, elements }, type)) ??
      largest([known, isList ? largestSize : largestInput, ...given.map((value) => elements[value])]);
    elements[output] = Number.isFinite(made) ? made : assume();
    if (names && known > 0) dimensions.add(names, Math.max(1, Math.floor(elements[output] / known)));
    if (type.dtype === undefined || SAME_SIZE.has(node.opType)) return;
    if (given.every((value) => isKnown(types[value], value))) bounded.push(output);
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
  { types, elements }: Pick<Known, 'types' | 'elements'>,
  result: ValueType,
): number | undefined {
  const known = knownPart(result);
  const parts = given
    .filter((value) => !isKnown(types[value], value) && knownPart(types[value]) > 0)
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
  readonly scalarOf: (value: ValueIndex) => number | undefined;
}

/** A bound of the elements of each output of the node; `undefined` when its inputs do not bound it. */
function boundOf(node: Node, known: Known): number | undefined {
  const { types, elements } = known;
  const inputs = node.inputs.filter((value) => value !== OMITTED);
  if (inputs.length === 0) return undefined;
  const first = elements[inputs[0]];
  if (FROM_FIRST_INPUT.has(node.opType)) return first;
  if (FROM_ALL_INPUTS.has(node.opType)) return inputs.reduce((sum, value) => sum + elements[value], 0);
  if (PRODUCTS.has(node.opType)) return productElements(inputs, known);
  if (node.opType === 'NonZero') return first * Math.max(1, types[inputs[0]].shape?.length ?? 1);
  if (node.opType === 'NonMaxSuppression') return selectedBoxes(node, known) * SELECTED_BOX_FIELDS;
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

/** Each score selects its box at most once, and each class of a picture at most a number of boxes that is often a constant. */
function selectedBoxes({ inputs }: Node, { types, elements, scalarOf }: Known): number {
  const [, scores, perClass = OMITTED] = inputs;
  const most = perClass === OMITTED ? undefined : scalarOf(perClass);
  const [pictures, classes] = types[scores].shape ?? [];
  if (most === undefined || !isNumber(pictures) || !isNumber(classes)) return elements[scores];
  return Math.min(elements[scores], pictures * classes * most);
}

function knownPart({ shape }: ValueType): number {
  return product((shape ?? []).filter(isNumber));
}

function isKnown(type: ValueType, value: ValueIndex): boolean {
  return unknownNames(type, value)?.length === 0;
}

function unknownNames({ shape }: ValueType, value: ValueIndex): string[] | undefined {
  return shape?.flatMap((dimension, axis) => {
    if (typeof dimension === 'number') return [];
    return [dimension ?? `${value}[${axis}]`];
  });
}

function isNumber(dimension: unknown): dimension is number {
  return typeof dimension === 'number';
}

interface Group {
  readonly names: readonly string[];
  readonly bound: number;
}

/**
 * ONNX Runtime names each unknown dimension once, where a node first makes it, and later nodes keep the name. A bound belongs to
 * all dimensions that a value got at once: two unknown dimensions of a slice have a product of at most the elements of its source.
 */
export class UnknownDimensions {
  private readonly groups = new Map<string, Map<string, Group>>();

  /** Bounds the product of the dimensions `names`. Of equal names, the smallest bound counts. */
  add(names: readonly string[], bound: number): void {
    const key = JSON.stringify(names);
    for (const name of names) {
      const groups = this.groups.get(name) ?? new Map<string, Group>();
      if (bound < (groups.get(key)?.bound ?? Infinity)) groups.set(key, { names, bound });
      this.groups.set(name, groups);
    }
  }

  /**
   * A bound of the product of the dimensions `names`, from as few groups as possible; `undefined` when a dimension is in none.
   */
  bound(names: readonly string[]): number | undefined {
    const left = new Set(names);
    const candidates = [...new Set(names.flatMap((name) => this.groupsOf(name)))].sort(
      (a, b) => b.names.length - a.names.length || a.bound - b.bound,
    );
    let bound = 1;
    for (const group of candidates) {
      if (!group.names.every((name) => left.has(name))) continue;
      for (const name of group.names) left.delete(name);
      bound *= group.bound;
    }
    // A value may keep one dimension of a group and lose the others: the bound of all of them holds for each.
    for (const name of left) {
      const smallest = smallestOf(this.groupsOf(name).map((group) => group.bound));
      if (!Number.isFinite(smallest)) return undefined;
      bound *= smallest;
    }
    return bound;
  }

  private groupsOf(name: string): Group[] {
    return [...(this.groups.get(name)?.values() ?? [])];
  }
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
