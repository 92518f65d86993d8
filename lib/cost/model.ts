/** The model of cost and latency of a pipeline. docs/costs.md describes its formulas and constants. */
import type {
  ChainTotals,
  CostModel,
  Latency,
  RunCost,
  SliceDemand,
  StepChoice,
  Temperature,
  Transport,
} from './chain';
import { type CostOptions, withDefaults } from './options';
import { coldShare } from './formulas/lambda';
import { storesOf, type Store } from './formulas/s3';
import { executionDollars, executionDollarsPerMs, transitionOf } from './formulas/step-functions';
import type { LatencyDistribution } from './latency/latency-distribution';
import { type RandomSum, RandomDelays } from './latency/random-delays';
import { type DetailedStep, type StepSetting, stepOf } from './step';

/** A model that also itemizes steps, and that whole plans with branches can be priced with. */
export interface DetailedCostModel extends CostModel {
  readonly options: Required<CostOptions>;
  readonly stores: Readonly<Record<Transport, Store>>;
  /** From the end of one handler to the start of the next. */
  readonly transition: LatencyDistribution;
  step(demand: SliceDemand, choice: StepChoice): DetailedStep;
}

/** The times of warm and of cold runs without random delays. */
type RunTimes = Pick<ChainTotals, 'warmMs' | 'coldMs'>;

const QUANTILES: Readonly<Record<keyof Latency, number>> = { p50: 0.5, p95: 0.95 };

export function costModel(given: CostOptions = {}): DetailedCostModel {
  return new PipelineModel(withDefaults(given));
}

class PipelineModel implements DetailedCostModel {
  readonly warmsUp: boolean;
  readonly coldShare: number;
  readonly stores: Readonly<Record<Transport, Store>>;
  readonly transition: LatencyDistribution;
  readonly dollarsPerMs: number;
  private readonly setting: StepSetting;
  private readonly delays: RandomDelays;

  constructor(readonly options: Required<CostOptions>) {
    const { prices, environment, architecture, networkInVpc, tls, request, result, warmUp } = options;
    this.warmsUp = warmUp;
    this.dollarsPerMs = executionDollarsPerMs(options.stateMachineType, prices, environment);
    this.coldShare = coldShare(options.requestsPerHour, environment);
    this.stores = storesOf(prices, environment);
    this.transition = transitionOf(options.stateMachineType, environment);
    this.setting = {
      options,
      stores: this.stores,
      host: { architecture, environment, inVpc: networkInVpc, tls },
    };
    this.delays = new RandomDelays({
      stores: this.stores,
      transition: this.transition,
      request,
      result,
      warmUp,
    });
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
    return { warm, cold, mixed: warm * (1 - this.coldShare) + cold * this.coldShare }[temperature];
  }

  latencyMs(totals: ChainTotals, temperature: Temperature, quantile: keyof Latency): number {
    const random = this.randomOf(totals);
    switch (temperature) {
      case 'warm':
        return totals.warmMs + random[quantile];
      case 'cold':
        return totals.coldMs + random[quantile];
      case 'mixed':
        return mixedQuantile(random, totals, this.coldShare, QUANTILES[quantile]);
    }
  }

  isWithin(totals: ChainTotals, temperature: Temperature, quantile: keyof Latency, ms: number): boolean {
    const share = this.coldShare;
    if (temperature !== 'mixed' || share === 0 || share === 1)
      return this.latencyMs(totals, temperature, quantile) <= ms;
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

/** Halves the interval until it is below a microsecond. A mix of two steps of the grid would cost a copy of both. */
function mixedQuantile(
  { distribution }: RandomSum,
  totals: RunTimes,
  share: number,
  quantile: number,
): number {
  const { warmMs, coldMs } = totals;
  if (share === 0 || share === 1) return (share === 0 ? warmMs : coldMs) + distribution.quantile(quantile);
  const faster = Math.min(warmMs, coldMs) + distribution.quantile(quantile);
  let [low, high] = [faster - 1, Math.max(warmMs, coldMs) + distribution.quantile(quantile)];
  while (high - low > 1e-3) {
    const middle = (low + high) / 2;
    // Neighboring numbers of a very large time are further apart than that.
    if (middle <= low || middle >= high) break;
    if (mixedShareWithin(distribution, totals, share, middle) >= quantile) high = middle;
    else low = middle;
  }
  return high;
}

/** The share of mixed runs that end within `ms`. */
function mixedShareWithin(
  random: LatencyDistribution,
  { warmMs, coldMs }: RunTimes,
  share: number,
  ms: number,
): number {
  return (1 - share) * random.shareWithin(ms - warmMs) + share * random.shareWithin(ms - coldMs);
}
