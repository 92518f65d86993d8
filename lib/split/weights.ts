/**
 * Divides weights: finds the stored tensor behind an input of an operator, through the constant nodes between them, and makes a part of it.
 * A part is a range of the tensor's bytes, or many equal ones.
 */
import { quoted } from '../errors';
import { FREE_INITIALIZERS_IR_VERSION } from '../onnx/encode-model';
import {
  type Node,
  type Tensor,
  type ValueIndex,
  type SourceRange,
  type StridedRange,
  type TensorWithData,
  OMITTED,
  nodeLabel,
} from '../onnx/model';
import { type PartRange, CannotSplit } from './split';
import type { NewNodes } from './new-nodes';
import type { Attributes, SplitSubject } from './subject';
import { packedBytes } from '../onnx/data-type';

/** The most constants between an operator and its stored tensors, these included. Exporters make three or four. */
const MOST_STEPS = 16;
const TOO_FAR = `is more than ${MOST_STEPS} constants away from its weight`;

/** Operators that may lie between a stored tensor and the product. */
const STEPS = new Set(['Identity', 'Cast', 'Transpose', 'DequantizeLinear']);

/** Takes the parts of weights and the nodes that compute with them. @returns each time a name */
export type PartSink = Pick<NewNodes, 'weight' | 'copy'>;

export class Weights {
  private readonly outputs: ReadonlySet<ValueIndex>;
  private readonly known = new Map<ValueIndex, readonly number[]>();

  constructor(private readonly subject: Pick<SplitSubject, 'model' | 'attributes'>) {
    this.outputs = new Set(subject.model.graph.outputs.map(({ value }) => value));
  }

  /** The dims of a constant. @throws CannotSplit if it is not one that can be divided */
  dims(value: ValueIndex, steps = 0): readonly number[] {
    const known = this.known.get(value);
    if (known !== undefined) return known;
    if (steps > MOST_STEPS) throw new CannotSplit(TOO_FAR);
    const tensor = this.stored(value);
    if (tensor !== undefined) return tensor.dims;
    const { node, attributes } = this.step(value);
    const before = this.dims(node.inputs[0], steps + 1);
    const dims =
      node.opType === 'Transpose' ? permutation(attributes, before).map((axis) => before[axis]) : before;
    this.known.set(value, dims);
    return dims;
  }

  /** The number of elements along an axis. */
  length(value: ValueIndex, axis: number): number {
    return this.dims(value).at(axis) ?? 1;
  }

  /** The stored tensors that a constant is computed from, the weight itself first. */
  tensors(value: ValueIndex): readonly Tensor[] {
    return this.origins(value).flatMap((origin) => this.stored(origin) ?? []);
  }

  /** The names of a constant and of all that it is computed from. */
  names(value: ValueIndex): readonly string[] {
    return this.origins(value).map((origin) => this.subject.model.graph.values[origin].name);
  }

  /** A constant and all that it is computed from, each once, those of first inputs first. */
  private origins(value: ValueIndex): readonly ValueIndex[] {
    const found = new Set<ValueIndex>();
    const pending = [value];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === OMITTED || found.has(next)) continue;
      if (found.add(next).size > MOST_STEPS) throw new CannotSplit(TOO_FAR);
      if (this.stored(next) === undefined) pending.push(...[...this.step(next).node.inputs].reverse());
    }
    return [...found];
  }

  /**
   * The name of a value with the part of a constant. It is the constant itself if that has one element for all columns. The axis may have
   * several elements for each column, such as scales of blocks.
   */
  part(value: ValueIndex, axis: number, columns: PartRange, into: PartSink): string {
    const { values } = this.subject.model.graph;
    const { name } = values[value];
    const dims = this.dims(value);
    const at = axis < 0 ? dims.length + axis : axis;
    const length = at < 0 ? 1 : (dims.at(at) ?? 1);
    if (length === 1) return name;
    const [start, end] = [columns.start, columns.end].map((bound) => (bound * length) / columns.length);
    if (![start, end].every(Number.isInteger))
      throw new CannotSplit(`has ${length} elements of ${quoted(name)} for ${columns.length} columns`);
    const range = { start, end, length };
    const tensor = this.stored(value);
    if (tensor?.data !== undefined)
      return into.weight(partOfTensor({ ...tensor, data: tensor.data }, at, range));
    const { node, attributes } = this.step(value);
    const [input, ...others] = node.inputs;
    const inner = node.opType === 'Transpose' ? permutation(attributes, this.dims(input))[at] : at;
    const inputs = [
      this.part(input, inner, range, into),
      ...others.map((other) =>
        other === OMITTED ? '' : this.scalePart(node, attributes, other, { inner, range, into }),
      ),
    ];
    return into.copy(node, inputs, partName(name, at, range), attributes);
  }

  /** Scales and zero points of `DequantizeLinear`: one, one for each element of an axis, or one for each block. */
  private scalePart(
    node: Node,
    attributes: Attributes,
    value: ValueIndex,
    { inner, range, into }: { readonly inner: number; readonly range: PartRange; readonly into: PartSink },
  ): string {
    const rank = this.dims(node.inputs[0]).length;
    const given = attributes.get('axis')?.integer ?? 1;
    const axis = given < 0 ? rank + given : given;
    const isBlocked = (attributes.get('block_size')?.integer ?? 0) > 0;
    if (isBlocked && axis === inner) throw new CannotSplit('has blocks of scales along the axis to divide');
    if (isBlocked) return this.part(value, inner, range, into);
    return axis === inner ? this.part(value, 0, range, into) : this.subject.model.graph.values[value].name;
  }

  /** A tensor of one element, such as a zero point, is not divided: it needs no data in one run of bytes. */
  private stored(value: ValueIndex): Tensor | undefined {
    const { graph, irVersion } = this.subject.model;
    const { name, initializer, input, producer } = graph.values[value];
    const tensor =
      initializer !== undefined
        ? graph.initializers[initializer].tensor
        : producer !== undefined
          ? graph.nodes[producer].constant
          : undefined;
    if (tensor === undefined) return undefined;
    if (this.outputs.has(value)) throw new CannotSplit('has a weight that is an output of the model');
    // Before IR version 4, every initializer had to be an input too.
    if (input !== undefined && irVersion >= FREE_INITIALIZERS_IR_VERSION)
      throw new CannotSplit(
        'has a weight that is an input with a default, and ONNX Runtime computes with such a weight in another way',
      );
    if (initializer === undefined && irVersion < FREE_INITIALIZERS_IR_VERSION)
      throw new CannotSplit('has a weight in a Constant node of a model below IR version 4');
    const isOneElement = tensor.dims.every((size) => size === 1);
    if (tensor.data === undefined && !isOneElement)
      throw new CannotSplit('has a weight that is stored as texts or as numbers of variable length');
    return { ...tensor, name };
  }

  /** The node that computes a constant. */
  private step(value: ValueIndex): { readonly node: Node; readonly attributes: Attributes } {
    const { nodes, values } = this.subject.model.graph;
    const { name, producer } = values[value];
    if (producer === undefined)
      throw new CannotSplit(`has the input ${quoted(name)} where the others have a weight`);
    const node = nodes[producer];
    if (node.domain !== '' || !STEPS.has(node.opType))
      throw new CannotSplit(`computes with the result of ${nodeLabel(node)} instead of a weight`);
    if (this.outputs.has(value)) throw new CannotSplit('has a weight that is an output of the model');
    return { node, attributes: this.subject.attributes(node) };
  }
}

function permutation(attributes: Attributes, dims: readonly number[]): readonly number[] {
  return attributes.get('perm')?.integers ?? dims.map((_, axis) => dims.length - 1 - axis);
}

const BITS_PER_BYTE = 8;

/** The elements of `range` along `axis`. */
export function partOfTensor(tensor: TensorWithData, axis: number, range: PartRange): TensorWithData {
  const { name, dims, dataType } = tensor;
  const count = range.end - range.start;
  const partDims = dims.map((dim, at) => (at === axis ? count : dim));
  const product = (some: readonly number[]): number => some.reduce((all, dim) => all * dim, 1);
  const inner = product(dims.slice(axis + 1));
  const bits = packedBytes(dataType, BITS_PER_BYTE) ?? 0;
  const bytes = (elements: number): number => (elements * bits) / BITS_PER_BYTE;
  const [start, runBytes, stepBytes] = [range.start * inner, count * inner, dims[axis] * inner].map(bytes);
  if (![start, runBytes, stepBytes].every(Number.isInteger))
    throw new CannotSplit(`has elements of less than a byte in ${quoted(name)}`);
  const runs = product(dims.slice(0, axis));
  const { file, offset, flipsSign } = tensor.data;
  const data = { file, offset: offset + start, length: runs * runBytes, ...(flipsSign && { flipsSign }) };
  return {
    ...{ name: partName(name, axis, range), dataType, dims: partDims, byteLength: data.length },
    // Its field is written anew, with its data in the slice's file of weights.
    external: true,
    data:
      runs === 1 ? (data satisfies SourceRange) : ({ ...data, runBytes, stepBytes } satisfies StridedRange),
  };
}

function partName(name: string, axis: number, { start, end }: PartRange): string {
  return `${name}[${axis}:${start}:${end}]`;
}
