/** Splits: which operator runs in parts, and what each part computes. */
import type { NodeIndex } from '../onnx/model';

/**
 * What the parts divide: `columns` and `channels` are those of the output. With `rows`, each part of a table answers the indices of its own
 * rows.
 */
export type SplitAxis = 'columns' | 'channels' | 'rows';

/** One operator that is replaced by parts, which depend on the same inputs and not on each other, and a node that joins them. */
export interface Split {
  /** Of the graph before any split. */
  readonly node: NodeIndex;
  readonly axis: SplitAxis;
  /** How many columns, channels or rows each part has, in order. Their sum is the number that the operator has. */
  readonly parts: readonly number[];
}

/** `count` parts of about equal length, whose boundaries are multiples of `multipleOf`; `undefined` if there is no such number of parts. */
export function evenParts(length: number, count: number, multipleOf: number): number[] | undefined {
  const blocks = Math.ceil(length / multipleOf);
  if (count > blocks) return undefined;
  const ends = Array.from({ length: count }, (_, part) =>
    Math.min(length, multipleOf * Math.round((blocks * (part + 1)) / count)),
  );
  return ends.map((end, part) => end - (part === 0 ? 0 : ends[part - 1]));
}

/** The columns, channels or rows from `start` to `end` of `length`. */
export interface PartRange {
  readonly start: number;
  readonly end: number;
  readonly length: number;
}

export function rangesOf(parts: readonly number[]): PartRange[] {
  const length = parts.reduce((sum, part) => sum + part, 0);
  let end = 0;
  return parts.map((part) => ({ start: end, end: (end += part), length }));
}

/** Why an operator cannot be split: the end of a sentence that begins with the operator. */
export class CannotSplit extends Error {}
