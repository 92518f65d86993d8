/** What a plan is optimized for, and its limits. */
import type { Latency, Temperature, Transport } from '../cost/chain';
import type { DetailedCostModel } from '../cost/model';

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
  readonly model: DetailedCostModel;
  /** Memory, in MB, above which the search does not go, even if a larger function would be faster. */
  readonly maxMemoryMb: number;
  /** Memory sizes, in MB, that a function may get besides the least that fits. */
  readonly memorySizes: readonly number[];
  /** Where slices write what later slices read. Results are in `s3-standard`. */
  readonly transport: Transport;
  /** Threads of ONNX Runtime in each slice, if its function has as many vCPUs. */
  readonly threads: number;
  /** The most slices that a stack can have. */
  readonly maxSlices: number;
  readonly slices?: number;
}

/** Which cuts the search compared. */
export interface SearchQuality {
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
