/** A slicer: one way to choose the cuts of a model, and by what it compares plans. */
import type { Choice } from '../choice';
import type { CutSpace } from '../cuts/cuts';
import type { Range } from '../cuts/range-sizes';
import type { Goal, PlanRequest } from '../goal';
import type { SizeLimit } from '../search/cut-graph';
import type { Groups } from '../wiring/groups';

export type Slicer = NamedSlicer | SearchedSlicer;

interface KeyedSlicer {
  /** Identifies the choice: slicers with the same key choose the same cuts of the same model. */
  readonly key: string;
}

/** A slicer for which the caller names the cuts, their number or their size. */
export interface NamedSlicer extends KeyedSlicer {
  readonly goal?: undefined;
  /** Chooses the nodes of each slice. */
  choose(space: CutSpace): Choice;
  /**
   * Chooses slices that each lie within one of the ranges; absent if the caller already named the cuts.
   *
   * @returns `undefined` if there are too many ranges
   */
  chooseWithin?(space: CutSpace, ranges: readonly Range[]): { readonly groups: Groups } | undefined;
}

/** A slicer whose plans are compared by what is printed of them. */
export interface SearchedSlicer extends KeyedSlicer {
  readonly goal: Goal;
  /**
   * What the plans of a space are searched for.
   *
   * @param margin factor on the memory of activations that must fit a function
   * @default margin - 1
   */
  search(space: CutSpace, margin?: number): PlanSearch;
}

export interface PlanSearch {
  readonly request: PlanRequest;
  readonly limit: SizeLimit;
}
