/** What a plan is optimized for, and its limits. */
import type { CostModel, Latency, Temperature, Transport } from '../cost/chain';

/** `slices`: the fewest slices and then the fewest dollars. `cost`: the fewest dollars. `latency`: the shortest time. */
export type Minimize = 'slices' | 'cost' | 'latency';

export interface Goal {
  readonly minimize: Minimize;
  readonly temperature: Temperature;
  /** The quantile of the latency that is minimized or limited. */
  readonly quantile: keyof Latency;
  readonly maxLatencyMs?: number;
  /** Dollars of one run. */
  readonly maxDollars?: number;
  /** Requests per hour, from which the share of cold runs follows. */
  readonly requestsPerHour?: number;
  readonly maxMemoryMb?: number;
}

/** By what plans are compared if the caller names the cuts or their number. */
export const DEFAULT_GOAL: Goal = { minimize: 'slices', temperature: 'mixed', quantile: 'p50' };

/** What a search minimizes, and its limits. A limit that is absent does not bind. */
export interface PlanRequest extends Goal {
  readonly model: CostModel;
  /** Memory, in MB, above which the search does not go, even if a larger function would be faster. */
  readonly maxMemoryMb: number;
  /** Whether small tensors between slices travel in the state of the execution. @default false */
  readonly tensorsInState?: boolean;
  /** Memory sizes, in MB, that a function may get besides the least that fits. */
  readonly memorySizes: readonly number[];
  /** Where slices write what later slices read. Results are in `s3-standard`. */
  readonly transport: Transport;
  /** Threads of ONNX Runtime in each slice, if its function has as many vCPUs. */
  readonly threads: number;
  /** The most slices that a stack can have. */
  readonly maxSlices: number;
  readonly slices?: number;
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

/** Changes of a request whose limits no plan keeps: the fastest plan, the fastest one within the cost and the cheapest one. */
export function closestGoals({ maxDollars }: Pick<Goal, 'maxDollars'>): Partial<PlanRequest>[] {
  const unlimited = { maxLatencyMs: undefined, maxDollars: undefined };
  return [
    { ...unlimited, minimize: 'latency' },
    ...(maxDollars === undefined ? [] : [{ ...unlimited, maxDollars, minimize: 'latency' as const }]),
    { ...unlimited, minimize: 'cost' },
  ];
}
