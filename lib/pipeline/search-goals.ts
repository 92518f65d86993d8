/** The choices of `Slicing.automatic`: what to minimize, for which runs, and at which percentile. */

/**
 * What the search for slices minimizes.
 *
 * @example
 * const slicing = Slicing.automatic({ minimize: Minimize.COST });
 */
export enum Minimize {
  /** The fewest slices, and of these the cheapest. */
  SLICES = 'slices',
  /** The price of a run. */
  COST = 'cost',
  /** The time of a run. */
  LATENCY = 'latency',
}

/**
 * The runs for which the search compares cost and latency.
 *
 * @example
 * const slicing = Slicing.automatic({ minimize: Minimize.LATENCY, temperature: Temperature.COLD });
 */
export enum Temperature {
  /** Runs that find all functions warm. */
  WARM = 'warm',
  /** Runs that find all functions cold. */
  COLD = 'cold',
  /** Both, as often as `requestsPerHour` implies. */
  MIXED = 'mixed',
}

/**
 * The percentile of the latency that the search minimizes or limits.
 *
 * @example
 * const slicing = Slicing.automatic({
 *   maxLatency: Duration.seconds(2),
 *   latencyPercentile: LatencyPercentile.P50,
 * });
 */
export enum LatencyPercentile {
  /** The median. */
  P50 = 'p50',
  /** Of 100 runs, 95 are at least that fast. */
  P95 = 'p95',
}
