/** Splits: which operator runs in parts, and what each part computes. */

/**
 * What the parts divide: `columns` and `channels` are those of the output. With `rows`, each part of a table answers the indices of its own
 * rows.
 */
export type SplitAxis = (typeof SPLIT_AXES)[number];
export const SPLIT_AXES = ['columns', 'channels', 'rows'] as const;

/** The most parts of an operator: as many as slices of a state machine that anybody would deploy. */
export const MAX_PARTS = 1000;

/** One operator that is replaced by parts, which depend on the same inputs and not on each other, and a node that joins them. */
export interface Split {
  /** Of the graph before any split. */
  readonly node: number;
  readonly axis: SplitAxis;
  /** How many columns, channels or rows each part has, in order. Their sum is the number that the operator has. */
  readonly parts: readonly number[];
}

/** A split as a plan file has it. */
export interface PlannedSplit extends Split {
  /** The operator's name, or that of its output if it has none. */
  readonly name: string;
  readonly operator: string;
  /** The tensor whose bytes the parts share. */
  readonly weight: string;
  readonly weightBytes: number;
  /** With more threads, the parts would have other bits than the whole. Absent if the number of threads does not matter. */
  readonly mostThreads?: number;
}

/**
 * `count` parts of about equal length, whose boundaries are multiples of `multipleOf`; `undefined` if there is no such number of parts.
 * The last part also has what remains, so that none has less than a multiple: kernels compute a single row in another way.
 */
export function evenParts(length: number, count: number, multipleOf: number): number[] | undefined {
  const blocks = Math.floor(length / multipleOf);
  if (count > blocks) return undefined;
  const ends = Array.from({ length: count }, (_, part) =>
    part === count - 1 ? length : multipleOf * Math.round((blocks * (part + 1)) / count),
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

/** The threads of a plan, or fewer if its parts need that to have the bits of the whole. */
export function withinSplits(threads: number, splits: readonly PlannedSplit[] = []): number {
  return splits.reduce((least, { mostThreads = least }) => Math.min(least, mostThreads), threads);
}
