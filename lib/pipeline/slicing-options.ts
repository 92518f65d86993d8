/** Options of the factories of `Slicing`, and their checks. */
import type { Duration } from 'aws-cdk-lib';
import { SlicedInferenceError } from '../errors';
import { knownAtSynth } from './known-at-synth';
import type { LatencyPercentile, Minimize, Temperature } from './choices';

/** By what estimates the slices of a model are planned. */
export interface SlicingEstimateOptions {
  /**
   * Path of a JSON file with prices that replace list prices. `sliced-inference constants prices` prints one to start from.
   *
   * @default - list prices of us-east-1
   */
  readonly prices?: string;

  /**
   * Path of a JSON file that describes how fast AWS is. `sliced-inference constants environment` prints one to start from.
   *
   * @default - published measurements
   */
  readonly environment?: string;

  /**
   * Runs per hour, above 0. They decide how often a run finds its functions cold.
   *
   * @default 10 - about a third of the runs is cold
   */
  readonly requestsPerHour?: number;

  /**
   * Operators that run in parts, each part in a function of its own if the cuts allow it: by the name of a node or of a weight, the number
   * of parts. With 1, the operator is never split. Results keep their bits; synthesis fails for parts that would change them. A plan
   * has its own splits, so `Slicing.fromPlan` takes none.
   *
   * @default - those of `splitLargeOperators`
   */
  readonly splits?: { [name: string]: number };

  /**
   * Whether an operator is split if a slice with it alone is larger than `maxMemorySize` or the size of a slice, and with
   * `Minimize.LATENCY` if runs become faster.
   *
   * @default true
   */
  readonly splitLargeOperators?: boolean;
}

/** Options of `Slicing.automatic`. */
export interface AutomaticSlicingOptions extends SlicingEstimateOptions {
  /**
   * What the search minimizes, within the limits that are set.
   *
   * @default Minimize.SLICES
   */
  readonly minimize?: Minimize;

  /**
   * The longest time of a run, from its start to its result, at `latencyPercentile` and for runs of `temperature`. Synthesis
   * fails if no plan is that fast, and names the fastest one.
   *
   * @default - no limit
   */
  readonly maxLatency?: Duration;

  /**
   * The percentile of the latency that is minimized or limited. It has an effect only with `maxLatency` or `Minimize.LATENCY`.
   *
   * @default LatencyPercentile.P95
   */
  readonly latencyPercentile?: LatencyPercentile;

  /**
   * The highest price of a million runs, in US dollars, above 0. Synthesis fails if no plan is that cheap, and names the
   * cheapest one.
   *
   * @default - no limit
   */
  readonly maxCostPerMillion?: number;

  /**
   * The most memory that one function may have, in MB: a whole number from 512 to 10,240.
   *
   * @default 3008 - the limit of new AWS accounts
   */
  readonly maxMemorySize?: number;

  /**
   * The runs for which cost and latency are compared.
   *
   * @default Temperature.MIXED
   */
  readonly temperature?: Temperature;
}

/** @throws SlicedInferenceError for a token, and for a number that is not above 0 */
export function checkAutomaticOptions(options: AutomaticSlicingOptions): void {
  checkEstimateOptions(options);
  checkPositive('maxCostPerMillion', options.maxCostPerMillion);
  checkPositive('maxLatency', options.maxLatency?.toMilliseconds({ integral: false }));
}

/** @throws SlicedInferenceError for a token, and for a number that is not above 0 */
export function checkEstimateOptions(options: SlicingEstimateOptions): void {
  for (const [name, value] of Object.entries(options)) knownAtSynth(value, name);
  checkPositive('requestsPerHour', options.requestsPerHour);
}

function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined || (value > 0 && Number.isFinite(value))) return;
  throw new SlicedInferenceError(`${name} must be a number above 0`, String(value), 'pass a larger number');
}
