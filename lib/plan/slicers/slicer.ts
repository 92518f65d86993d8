/** A slicer: one way to choose the cuts of a model, and by what it compares plans. */
import type { RunCost, Temperature } from '../../cost/chain';
import type { CutSpace } from '../cuts/cuts';
import type { Range } from '../cuts/range-sizes';
import type { Goal, PlanRequest, SearchQuality } from '../goal';
import type { SliceSettings, WholeCut } from '../pricing/price';
import type { SizeLimit } from '../search/cut-graph';
import type { Split } from '../../split/split';
import type { Groups, WiredCut } from '../wiring/wiring';

export type Slicer = NamedSlicer | SearchedSlicer;

interface KeyedSlicer {
  /** Identifies the choice: slicers with the same key choose the same cuts of the same model. */
  readonly key: string;
  /** The splits of operators that belong to the cuts, if they are those of a plan. Then no other operator is split. */
  readonly splits?: readonly Split[];
}

/** A slicer for which the caller names the cuts, their number or their size. */
export interface NamedSlicer extends KeyedSlicer {
  readonly goal?: undefined;
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

export interface ChosenSettings extends SliceSettings {
  readonly temperature: Temperature;
  readonly cost: RunCost;
}

/** The nodes of each slice, and the settings of the functions if the search chose these too. */
export interface Choice {
  readonly groups: Groups;
  readonly settings?: ChosenSettings;
  /** Absent if the caller named the cuts. */
  readonly quality?: SearchQuality;
  /** Whether the largest function is as small as `evenPath` makes it: for a fixed number of slices. */
  readonly isEven?: boolean;
}

export interface ChosenCut extends WiredCut {
  readonly settings?: ChosenSettings;
  readonly quality?: SearchQuality;
  /** See `Choice`. */
  readonly isEven?: boolean;
  readonly whole?: WholeCut;
}
