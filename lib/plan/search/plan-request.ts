/** What a plan is optimized for, its limits, and the plan that the search chooses. */
import type { ChainTotals, CostModel, Latency, RunCost, Temperature, Transport } from '../../cost/cost-model';
import type { SliceSize } from '../sizes/estimate';
import type { Groups } from '../wiring/groups';

/** `slices`: the fewest slices and then the fewest dollars. `cost`: the fewest dollars. `latency`: the shortest time. */
export type Minimize = 'slices' | 'cost' | 'latency';

/** What to minimize, and the limits. A limit that is absent does not bind. */
export interface PlanRequest {
  readonly model: CostModel;
  readonly minimize: Minimize;
  readonly temperature: Temperature;
  /** The quantile of the latency that is minimized or limited. */
  readonly quantile: keyof Latency;
  readonly maxLatencyMs?: number;
  /** Dollars of one run. */
  readonly maxDollars?: number;
  /** Memory, in MB, above which the search does not go, even if a larger function would be faster. */
  readonly maxMemoryMb: number;
  /**
   * Whether small tensors between slices travel in the state of the execution.
   *
   * @default false
   */
  readonly tensorsInState?: boolean;
  /**
   * Whether slices that read nothing from each other run side by side.
   *
   * @default false
   */
  readonly sideBySide?: boolean;
  /** Memory sizes, in MB, that a function may get besides the least that fits. */
  readonly memorySizes: readonly number[];
  /** Where slices may write what later slices read; one of them for all slices. Results are in `s3-standard`. */
  readonly transports: readonly Transport[];
  /** Threads of ONNX Runtime that may be chosen; one of them for all slices. */
  readonly threads: readonly number[];
  /** The most slices that a stack can have. */
  readonly maxSlices: number;
  /** The number of slices, if it is fixed. */
  readonly slices?: number;
  /** The most bytes that all slices together may read and write. */
  readonly maxMovedBytes?: number;
  /**
   * The search drops a partial plan if no plan that contains it is better by more than this share. 0 is exact.
   *
   * @default 0
   */
  readonly epsilon?: number;
  /**
   * The search drops a partial plan if another one takes, costs and moves at most this share more. A plan may be missed that is
   * better by this share for each of its slices, or that is nearer to a limit than that.
   *
   * @default 0
   */
  readonly stepEpsilon?: number;
}

/** One slice of a plan: the stretch of `order` that it contains, and what is chosen for it. */
export interface PlannedStretch {
  readonly start: number;
  readonly end: number;
  readonly size: SliceSize;
  readonly memoryMb: number;
}

/** A plan of a stretch of the order of nodes. */
export interface StretchPlan {
  readonly stretches: readonly PlannedStretch[];
  readonly threads: number;
  readonly transport: Transport;
  readonly totals: ChainTotals;
  readonly cost: RunCost;
  readonly movedBytes: number;
}

/** What the search chose besides the cuts. */
export interface ChosenSettings {
  /** By slice: memory of its function, in MB. */
  readonly memoryMb: readonly number[];
  readonly threads: number;
  readonly transport: Transport;
  readonly temperature: Temperature;
  readonly cost: RunCost;
  /** Plans of which none is cheaper and faster than another one, the cheapest first, up to `FRONT_EPSILON`. */
  front(): readonly FrontPoint[];
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
