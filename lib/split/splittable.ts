/** Finds the operators that can be split, into how many parts, and for the others with large weights why not. */
import { smallestOf } from '../extremes';
import { type Node, OMITTED } from '../onnx/model';
import { type ExactSplit, exactSplit, groupSplit } from './exactness';
import { type DividedOperator, dividedOperator, groupsOf, operatorOf } from './operators';
import { type Split, type SplitAxis, CannotSplit, MAX_PARTS, evenParts, rangesOf } from './split';
import type { SplitSubject } from './subject';
import { Weights } from './weights';

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

/** Element types that ONNX Runtime's `Where` selects. */
const SELECTED_DTYPES = ['float32', 'float64', 'int32', 'int64', 'uint8'];

/** `Unsqueeze` has its axes as an input from here on. */
const ROWS_OPSET = 13;

/** Columns of a table that make it narrow: with fewer for each part, the runs of bytes would be shorter than a cache line. */
const NARROW_COLUMNS = 16;

/** The ways to split an operator, the one that moves fewer bytes first, or why there is none: the end of a sentence that begins with the operator. */
export function waysToSplit(subject: SplitSubject, node: Node): readonly Splittable[] | string {
  const { types, architecture } = subject;
  const operator = operatorOf(node);
  const attributes = subject.attributes(node);
  const divided = dividedOperator(operator, attributes);
  if (divided === undefined) return 'is an operator that is not split';
  const exact = exactSplit(operator, types[node.outputs[0]].dtype, architecture);
  if (typeof exact === 'string') return `is not split, because ${exact}`;
  try {
    const columns = byOutput(subject, node, divided, exact, groupsOf(attributes));
    return operator === 'Gather' ? [columns, ...byRows(subject, columns)] : [columns];
  } catch (error) {
    if (!(error instanceof CannotSplit)) throw error;
    return error.message;
  }
}

function byOutput(
  subject: SplitSubject,
  node: Node,
  { divides, weight, along, grouped }: DividedOperator,
  exact: ExactSplit,
  groups: number,
): Splittable {
  const weights = new Weights(subject);
  const value = node.inputs[weight];
  const own = weights.length(value, along.get(weight) ?? 0);
  const isGrouped = grouped !== undefined && groups > 1;
  // A transposed convolution has the channels of one group in its weight.
  const length =
    isGrouped && divides === 'channels' && node.opType === 'ConvTranspose'
      ? groups * weights.length(value, 1)
      : own;
  let weightBytes = 0;
  for (const [position, axis] of along) {
    const input = node.inputs.at(position) ?? OMITTED;
    if (input === OMITTED) continue;
    const count = weights.length(input, axis);
    for (const { byteLength } of count > 1 ? weights.tensors(input) : []) weightBytes += byteLength;
  }
  return {
    ...{ node, axis: divides, length, weight: weights.tensors(value)[0].name, weightBytes },
    ...(isGrouped ? groupSplit(length / groups) : exact),
  };
}

function byRows(subject: SplitSubject, columns: Splittable): Splittable[] {
  const { model, types } = subject;
  const { node } = columns;
  const opset = model.opsets.find(({ domain }) => domain === '')?.version ?? 0;
  const { dtype } = types[node.outputs[0]];
  if (opset < ROWS_OPSET || dtype === undefined || !SELECTED_DTYPES.includes(dtype)) return [];
  const length = new Weights(subject).length(node.inputs[0], 0);
  return [{ ...columns, axis: 'rows', length }];
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
