/** The model of cost and latency of a pipeline. docs/costs.md describes its formulas and constants. */
import {
  type ChainTotals,
  type CostModel,
  type Latency,
  type RunCost,
  type SliceDemand,
  type StepChoice,
  type Temperature,
  type Transport,
  QUANTILES,
  coldShareAt,
} from './chain';
import { coldShare } from './formulas/lambda';
import { type Store, storesOf } from './formulas/s3';
import { hostOf } from './formulas/slice-timing';
import { executionDollars, executionDollarsPerMs, transitionOf } from './formulas/step-functions';
import type { LatencyDistribution } from './latency/latency-distribution';
import { type RandomSum, RandomDelays } from './latency/random-delays';
import { type CostOptions, withDefaults } from './options';
import { type DetailedStep, type StepSetting, stepOf } from './step';

export function costModel(given: CostOptions = {}): DetailedCostModel {
  return new DetailedCostModel(withDefaults(given));
}

/** A model that also itemizes steps, and that whole plans with branches can be priced with. */
export class DetailedCostModel implements CostModel {
  readonly warmsUp: boolean;
  readonly coldShare: number;
  readonly stores: Readonly<Record<Transport, Store>>;
  /** From the end of one handler to the start of the next. */
  readonly transition: LatencyDistribution;
  readonly dollarsPerMs: number;
  private readonly setting: StepSetting;
  private readonly delays: RandomDelays;

  constructor(readonly options: Required<CostOptions>) {
    const { prices, environment, stateMachineType } = options;
    this.warmsUp = options.warmUp;
    this.dollarsPerMs = executionDollarsPerMs(stateMachineType, prices, environment);
    this.coldShare = coldShare(options.requestsPerHour, environment);
    this.stores = storesOf(prices, environment);
    this.transition = transitionOf(stateMachineType, environment);
    this.setting = { options, stores: this.stores, host: hostOf(options) };
    this.delays = new RandomDelays(options, this.stores, this.transition);
  }

  step(demand: SliceDemand, choice: StepChoice): DetailedStep {
    return stepOf(this.setting, demand, choice);
  }

  run(totals: ChainTotals, temperature: Temperature): RunCost {
    const latency = {
      p50: this.latencyMs(totals, temperature, 'p50'),
      p95: this.latencyMs(totals, temperature, 'p95'),
    };
    return { dollars: this.dollars(totals, temperature), latency };
  }

  dollars(totals: ChainTotals, temperature: Temperature): number {
    const { mean } = this.randomOf(totals);
    const warm = totals.warmDollars + this.machineDollars(totals, totals.warmMs + mean);
    const cold = totals.coldDollars + this.machineDollars(totals, totals.coldMs + mean);
    const share = coldShareAt(temperature, this.coldShare);
    return warm * (1 - share) + cold * share;
  }

  latencyMs(totals: ChainTotals, temperature: Temperature, quantile: keyof Latency): number {
    const { distribution, [quantile]: randomMs } = this.randomOf(totals);
    const share = coldShareAt(temperature, this.coldShare);
    if (share === 0 || share === 1) return (share === 0 ? totals.warmMs : totals.coldMs) + randomMs;
    // Halves the interval until it is below a microsecond. A mix of two steps of the grid would cost a copy of both.
    const { warmMs, coldMs } = totals;
    let [low, high] = [Math.min(warmMs, coldMs) + randomMs - 1, Math.max(warmMs, coldMs) + randomMs];
    while (high - low > 1e-3) {
      const middle = (low + high) / 2;
      // Neighboring numbers of a very large time are further apart than that.
      if (middle <= low || middle >= high) break;
      if (mixedShareWithin(distribution, totals, share, middle) >= QUANTILES[quantile]) high = middle;
      else low = middle;
    }
    return high;
  }

  isWithin(totals: ChainTotals, temperature: Temperature, quantile: keyof Latency, ms: number): boolean {
    const share = coldShareAt(temperature, this.coldShare);
    if (share === 0 || share === 1) return this.latencyMs(totals, temperature, quantile) <= ms;
    const { distribution } = this.randomOf(totals);
    return mixedShareWithin(distribution, totals, share, ms) >= QUANTILES[quantile];
  }

  private randomOf({ writes, inState }: ChainTotals): RandomSum {
    return this.delays.of(writes['s3-standard'], writes['s3-express'], inState);
  }

  private machineDollars({ writes }: ChainTotals, meanMs: number): number {
    const slices = writes['s3-standard'] + writes['s3-express'];
    const isWarmedUp = this.warmsUp && slices > 1;
    const counts = { slices, warmUps: isWarmedUp ? slices - 1 : 0, parallels: isWarmedUp ? 1 : 0 };
    const { stateMachineType, prices, environment } = this.options;
    return executionDollars(stateMachineType, counts, meanMs, prices, environment);
  }
}

/** The share of mixed runs that end within `ms`. */
function mixedShareWithin(
  random: LatencyDistribution,
  { warmMs, coldMs }: ChainTotals,
  share: number,
  ms: number,
): number {
  return (1 - share) * random.shareWithin(ms - warmMs) + share * random.shareWithin(ms - coldMs);
}
