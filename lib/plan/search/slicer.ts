/** A slicer: one way to choose the cuts of a model, and by what it compares plans. */
import type { Latency, Temperature } from '../../cost/cost-model';
import type { CutSpace } from '../cuts/cuts';
import type { Groups } from '../wiring/groups';
import type { Choice, ChosenSettings, Minimize, PlanRequest } from './plan-request';
import type { SizeLimit } from './stretch-table';
import type { Range } from './stretches';

/** By what plans of a slicer are compared. */
export interface Goal {
  readonly minimize: Minimize;
  readonly temperature: Temperature;
  readonly quantile: keyof Latency;
  readonly maxLatencyMs?: number;
  /** Dollars of one run. */
  readonly maxDollars?: number;
  /** Requests per hour, from which the share of cold runs follows. */
  readonly requestsPerHour?: number;
  /** The most memory of a function, in MB, if the caller limits it. */
  readonly maxMemoryMb?: number;
}

/** By what plans are compared if the caller names the cuts or their number. */
export const DEFAULT_GOAL: Goal = { minimize: 'slices', temperature: 'mixed', quantile: 'p50' };

export interface Slicer {
  /** Identifies the choice: slicers with the same key choose the same cuts of the same model. */
  readonly key: string;
  /** @default DEFAULT_GOAL */
  readonly goal?: Goal;
  /** Chooses the nodes of each slice. */
  choose(space: CutSpace): Choice;
  /**
   * Chooses slices that each lie within one of the ranges; absent if the caller already named the cuts.
   *
   * @param sequential the settings of the slices without ranges, if the slicer chose any
   * @returns `undefined` if there are too many ranges
   */
  chooseWithin?(
    space: CutSpace,
    ranges: readonly Range[],
    sequential?: ChosenSettings,
  ): RangedChoice | undefined;
}

/** A slicer whose plans are compared by what is printed of them. */
export interface SearchedSlicer extends Slicer {
  readonly goal: Goal;
  /**
   * What the plans of a space are searched for.
   *
   * @param margin factor on the memory of activations that must fit a function
   * @default margin - 1
   */
  search(space: CutSpace, margin?: number): PlanSearch;
  chooseWithin(space: CutSpace, ranges: readonly Range[], sequential?: ChosenSettings): RangedChoice;
}

export function isSearched(slicer: Slicer): slicer is SearchedSlicer {
  return 'search' in slicer;
}

export interface PlanSearch {
  readonly request: PlanRequest;
  readonly limit: SizeLimit;
}

/** Slices that each lie within one range. */
export interface RangedChoice {
  readonly groups: Groups;
}
