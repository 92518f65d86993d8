/** Finds the operators that can be split, into how many parts, and for the others with large weights why not. */
import { smallestOf } from '../extremes';
import { isBindable } from '../onnx/data-type';
import { type Model, type Node, type ValueIndex, OMITTED } from '../onnx/model';
import { type ExactSplit, exactSplit, groupSplit } from './exactness';
import { type DividedOperator, dividedOperator, groupsOf, operatorOf } from './operators';
import { type Split, type SplitAxis, CannotSplit, MAX_PARTS, evenParts, rangesOf } from './split';
import type { SplitSubject } from './subject';
import { type PartSink, Weights } from './weights';

/** An operator whose outputs can be divided. */
export interface Splittable extends ExactSplit {
  readonly node: Node;
  readonly axis: SplitAxis;
  /** How many columns, channels or rows it has. */
  readonly length: number;
  /** The stored tensor that holds its weight. */
  readonly weight: string;
  /** Bytes of the tensors that are divided. */
  readonly weightBytes: number;
}

/** `Unsqueeze` has its axes as an input from here on. */
const ROWS_OPSET = 13;

/** `Slice` has its bounds as inputs from here on. */
const SLICE_OPSET = 10;

/** Columns of a table that make it narrow: with fewer for each part, the runs of bytes would be shorter than a cache line. */
const NARROW_COLUMNS = 16;

/** The ways to split an operator, the one that moves fewer bytes first, or why there is none: the end of a sentence that begins with the operator. */
export function waysToSplit(subject: SplitSubject, node: Node): readonly Splittable[] | string {
  const { types } = subject;
  const operator = operatorOf(node);
  const attributes = subject.attributes(node);
  const divided = dividedOperator(operator, attributes);
  const [output = OMITTED] = node.outputs;
  if (divided === undefined || output === OMITTED) return 'is an operator that is not split';
  const { dtype } = types[output];
  if (dtype === 'float16' || (dtype !== undefined && !isBindable(dtype)))
    return `is not split, because parts of ${dtype} cannot cross a cut`;
  const exact = exactSplit(operator, dtype);
  if (typeof exact === 'string') return `is not split, because ${exact}`;
  try {
    if (operator === 'Gather') return waysOfTable(subject, node, divided, exact);
    return [byOutput(subject, node, divided, exact)];
  } catch (error) {
    if (!(error instanceof CannotSplit)) throw error;
    return error.message;
  }
}

/** A part that the check of a split drops. */
const NOWHERE: PartSink = { weight: ({ name }) => name, copy: (_node, _inputs, output) => output };

/** @throws CannotSplit also if `splitModel` would */
function byOutput(
  subject: SplitSubject,
  node: Node,
  { divides, weight, along, output, lengthAttribute, grouped }: DividedOperator,
  exact: ExactSplit,
): Splittable {
  const weights = new Weights(subject);
  const attributes = subject.attributes(node);
  const value = node.inputs[weight];
  const own = weights.length(value, along.get(weight) ?? 0);
  if (weights.dims(value).length < 2) throw new CannotSplit('has a weight without columns');
  if (lengthAttribute !== undefined && attributes.get(lengthAttribute)?.integer !== own)
    throw new CannotSplit(`has a weight of ${own} columns, which is not its ${lengthAttribute}`);
  if (output < 0 && subject.types[node.outputs[0]].shape === null)
    throw new CannotSplit('has an output of unknown rank');
  const groups = grouped === undefined ? 1 : groupsOf(attributes);
  if (grouped !== undefined && groups > 1) checkGroups(subject, node.inputs[grouped]);
  // A transposed convolution has the channels of one group in its weight.
  const length = groups > 1 && node.opType === 'ConvTranspose' ? groups * weights.length(value, 1) : own;
  const split = groups > 1 ? groupSplit(length / groups) : exact;
  const last = length - (length % split.multipleOf);
  let weightBytes = 0;
  for (const [position, axis] of along) {
    const input = node.inputs.at(position) ?? OMITTED;
    if (input === OMITTED) continue;
    // Shorter and longer parts have their boundaries at such multiples too.
    for (const [start, end] of [
      [0, Math.min(split.multipleOf, length)],
      [last, length],
    ])
      weights.part(input, axis, { start, end, length }, NOWHERE);
    const count = weights.length(input, axis);
    for (const { byteLength } of count > 1 ? weights.tensors(input) : []) weightBytes += byteLength;
  }
  return { node, axis: divides, length, weight: weights.tensors(value)[0].name, weightBytes, ...split };
}

function checkGroups({ model, types }: SplitSubject, input: ValueIndex): void {
  if (opsetOf(model) < SLICE_OPSET)
    throw new CannotSplit(`has groups, in a model of an opset below ${SLICE_OPSET}`);
  if (typeof types[input].shape?.at(1) !== 'number')
    throw new CannotSplit('has groups and an input of unknown channels');
}

/** By columns, by rows or both: a table of rank 1 has no columns, for example. */
function waysOfTable(subject: SplitSubject, node: Node, divided: DividedOperator, exact: ExactSplit) {
  const ways: Splittable[] = [];
  const reasons: CannotSplit[] = [];
  for (const way of [() => byOutput(subject, node, divided, exact), () => byRows(subject, node, exact)])
    try {
      ways.push(way());
    } catch (error) {
      if (!(error instanceof CannotSplit)) throw error;
      reasons.push(error);
    }
  if (ways.length === 0) throw reasons[0];
  return ways;
}

function byRows(subject: SplitSubject, node: Node, exact: ExactSplit): Splittable {
  if (opsetOf(subject.model) < ROWS_OPSET)
    throw new CannotSplit(`has rows, in a model of an opset below ${ROWS_OPSET}`);
  const weights = new Weights(subject);
  const [table, indices] = node.inputs;
  if (subject.types[indices].shape === null) throw new CannotSplit('has indices of unknown rank');
  const length = weights.length(table, 0);
  weights.part(table, 0, { start: 0, end: 1, length }, NOWHERE);
  const tensors = weights.tensors(table);
  const weightBytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { node, axis: 'rows', length, weight: tensors[0].name, weightBytes, ...exact };
}

function opsetOf({ opsets }: Model): number {
  return opsets.find(({ domain }) => domain === '')?.version ?? 0;
}

/** The largest number of parts, for so many threads of ONNX Runtime. */
export function mostParts(
  { length, multipleOf, leastPerThread, mostThreads = Infinity, axis }: Splittable,
  threads: number,
): number {
  if (threads > mostThreads) return 1;
  const least = Math.max(leastPerThread * threads, axis === 'columns' ? NARROW_COLUMNS : 1, multipleOf);
  const most = Math.floor(Math.floor(length / multipleOf) / Math.ceil(least / multipleOf));
  return Math.max(1, Math.min(MAX_PARTS, most));
}

/** @throws Error if there are more parts than `mostParts` */
export function splitInto(splittable: Splittable, count: number): Split {
  const { node, axis, length, multipleOf } = splittable;
  const parts = evenParts(length, count, multipleOf);
  if (parts === undefined) throw new Error(`${length} ${axis} cannot be in ${count} parts`);
  return { node: node.index, axis, parts };
}

/**
 * The most threads with which these parts have the bits of the whole; 0 if they are not all of its columns, or at boundaries that change bits
 * with one thread.
 */
export function threadsOf(
  { length, multipleOf, leastPerThread, mostThreads = Infinity }: Splittable,
  parts: readonly number[],
): number {
  const ranges = rangesOf(parts);
  const isWhole =
    ranges.at(-1)?.end === length && parts.every((part) => Number.isInteger(part) && part >= multipleOf);
  if (!isWhole || ranges.some(({ start }) => start % multipleOf !== 0)) return 0;
  return leastPerThread === 0
    ? mostThreads
    : Math.min(mostThreads, Math.floor(smallestOf(parts) / leastPerThread));
}
