/** The plan that a slicer chooses. */
import type { RunCost, Temperature, Transport } from '../cost/cost-model';
import type { Groups } from './wiring/groups';

/** What the search chose besides the cuts. */
export interface ChosenSettings {
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
  readonly temperature: Temperature;
  readonly cost: RunCost;
}

/** How good the chosen plan is, compared with the other plans of the same objective. */
export interface SearchQuality {
  /**
   * By this share, the plan costs more than the best plan that the search found, or takes longer if latency is minimized. Its
   * slices are more even instead, so that cuts stay in place when sizes change a little. Absent for a fixed number of slices.
   */
  readonly gap?: number;
  /** The gap and the share by which the search may have missed the best plan among the cuts that it compared. */
  readonly tolerance?: number;
  /** The number of cuts that the search compared: all legal ones, or those with the fewest crossing bytes in their neighborhood. */
  readonly comparedCuts: number;
  readonly comparedAllCuts: boolean;
}

/** What the even slices of a fixed number are compared with. */
export interface Evenness<Cut> {
  /** As many slices, at the cuts that cost about the least. */
  readonly cheapest: Cut;
  /** The most bytes that all slices together may move for their evenness. */
  readonly mostBytes: number;
}

/** A plan on the Pareto front of cost and latency. */
export interface FrontPoint {
  readonly slices: number;
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
  /** Positions in the order of nodes before which the slices are cut. */
  readonly cuts: readonly number[];
  readonly cost: RunCost;
}

/** The nodes of each slice, and the settings of the functions if the search chose these too. */
export interface Choice {
  readonly groups: Groups;
  readonly settings?: ChosenSettings;
  /** Absent if the caller named the cuts. */
  readonly quality?: SearchQuality;
  /** Present if slices of a fixed number are even. */
  readonly evenness?: Evenness<Groups>;
}
