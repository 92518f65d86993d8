/** Finds the operators that can be split, into how many parts, and for the others with large weights why not. */
import { smallestOf } from '../extremes';
import { type Node, OMITTED } from '../onnx/model';
import { type ExactSplit, exactSplit } from './exactness';
import { type DividedOperator, dividedOperator, operatorOf } from './operators';
import { type Split, CannotSplit, MAX_PARTS, evenParts, rangesOf } from './split';
import type { SplitSubject } from './subject';
import { type PartSink, Weights } from './weights';

/** An operator whose outputs can be divided. */
export interface Splittable extends ExactSplit {
  readonly node: Node;
  /** How many columns its output has. */
  readonly length: number;
  /** The stored tensor that holds its weight. */
  readonly weight: string;
  /** Bytes of the tensors that are divided. */
  readonly weightBytes: number;
}

/** Columns of a table that make it narrow: with fewer for each part, the runs of bytes would be shorter than a cache line. */
const NARROW_COLUMNS = 16;

/** How an operator can be split, or why it cannot: the end of a sentence that begins with the operator. */
export function wayToSplit(subject: SplitSubject, node: Node): Splittable | string {
  const { types } = subject;
  const operator = operatorOf(node);
  const attributes = subject.attributes(node);
  const divided = dividedOperator(operator, attributes);
  const [output = OMITTED] = node.outputs;
  if (divided === undefined || output === OMITTED) return 'is an operator that is not split';
  const exact = exactSplit(operator, types[output].dtype);
  if (typeof exact === 'string') return `is not split, because ${exact}`;
  try {
    return byColumns(subject, node, divided, exact);
  } catch (error) {
    if (!(error instanceof CannotSplit)) throw error;
    return error.message;
  }
}

/** A part that the check of a split drops. */
const NOWHERE: PartSink = { weight: ({ name }) => name, copy: (_node, _inputs, output) => output };

/** @throws CannotSplit also if `splitModel` would */
function byColumns(
  subject: SplitSubject,
  node: Node,
  { weight, along, output, lengthAttribute }: DividedOperator,
  exact: ExactSplit,
): Splittable {
  const weights = new Weights(subject);
  const attributes = subject.attributes(node);
  const value = node.inputs[weight];
  const length = weights.length(value, along.get(weight) ?? 0);
  if (weights.dims(value).length < 2) throw new CannotSplit('has a weight without columns');
  if (lengthAttribute !== undefined && attributes.get(lengthAttribute)?.integer !== length)
    throw new CannotSplit(`has a weight of ${length} columns, which is not its ${lengthAttribute}`);
  if (output < 0 && subject.types[node.outputs[0]].shape === null)
    throw new CannotSplit('has an output of unknown rank');
  const last = length - (length % exact.multipleOf);
  let weightBytes = 0;
  for (const [position, axis] of along) {
    const input = node.inputs.at(position) ?? OMITTED;
    if (input === OMITTED) continue;
    // Shorter and longer parts have their boundaries at such multiples too.
    for (const [start, end] of [
      [0, Math.min(exact.multipleOf, length)],
      [last, length],
    ])
      weights.part(input, axis, { start, end, length }, NOWHERE);
    const count = weights.length(input, axis);
    for (const { byteLength } of count > 1 ? weights.tensors(input) : []) weightBytes += byteLength;
  }
  return { node, length, weight: weights.tensors(value)[0].name, weightBytes, ...exact };
}

/** The largest number of parts, for so many threads of ONNX Runtime. */
export function mostParts({ length, multipleOf, leastPerThread }: Splittable, threads: number): number {
  const least = Math.max(leastPerThread * threads, NARROW_COLUMNS, multipleOf);
  const most = Math.floor(Math.floor(length / multipleOf) / Math.ceil(least / multipleOf));
  return Math.max(1, Math.min(MAX_PARTS, most));
}

/** @throws Error if there are more parts than `mostParts` */
export function splitInto(splittable: Splittable, count: number): Split {
  const { node, length, multipleOf } = splittable;
  const parts = evenParts(length, count, multipleOf);
  if (parts === undefined) throw new Error(`${length} columns cannot be in ${count} parts`);
  return { node: node.index, axis: 'columns', parts };
}

/**
 * The most threads with which these parts have the bits of the whole; 0 if they are not all of its columns, or at boundaries that change bits
 * with one thread.
 */
export function threadsOf(
  { length, multipleOf, leastPerThread }: Splittable,
  parts: readonly number[],
): number {
  const ranges = rangesOf(parts);
  const isWhole =
    ranges.at(-1)?.end === length && parts.every((part) => Number.isInteger(part) && part >= multipleOf);
  if (!isWhole || ranges.some(({ start }) => start % multipleOf !== 0)) return 0;
  return leastPerThread === 0 ? Infinity : Math.floor(smallestOf(parts) / leastPerThread);
}
