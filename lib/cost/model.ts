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
  type InStateCounts,
  QUANTILES,
  coldShareAt,
} from './chain';
import { coldShare } from './formulas/lambda';
import { type Store, storesOf } from './formulas/s3';
import { hostOf } from './formulas/slice-timing';
import { executionDollars, executionDollarsPerMs, transitionOf } from './formulas/step-functions';
import { LatencyDistribution } from './latency/latency-distribution';
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

function mixedShareWithin(
  random: LatencyDistribution,
  { warmMs, coldMs }: ChainTotals,
  share: number,
  ms: number,
): number {
  return (1 - share) * random.shareWithin(ms - warmMs) + share * random.shareWithin(ms - coldMs);
}

export interface RandomSum {
  readonly distribution: LatencyDistribution;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

interface TransportDelays extends Pick<Store, 'get' | 'put'> {
  readonly step: LatencyDistribution;
  readonly onlySlice: LatencyDistribution;
  /** The delays of the first and the last slice that the steps between them do not have. */
  readonly ends: LatencyDistribution;
}

const NOTHING_IN_STATE: InStateCounts = { answered: 0, fed: 0 };

/** Four numbers below this fit exactly into one number. No plan has so many slices. */
const MOST_SLICES = 2 ** 13;

class RandomDelays {
  private readonly known = new Map<number, RandomSum>();
  private readonly standard: TransportDelays;
  private readonly express: TransportDelays;

  constructor(
    { request, result, warmUp }: Required<CostOptions>,
    stores: Readonly<Record<Transport, Store>>,
    private readonly transition: LatencyDistribution,
  ) {
    const standard = stores['s3-standard'];
    const delaysOf = ({ get, put }: Store): TransportDelays => {
      const onlySlice = transition
        .plus(put)
        .plus(get.times(result === 's3' ? 1 : 0))
        .plus(standard.get.times(request === 's3' ? 1 : 0));
      // With warm-ups, the first of several slices is in a `Parallel` state, which is one more transition.
      const ends = onlySlice.plus(transition.times(warmUp ? 1 : 0));
      return { get, put, step: transition.plus(put).plus(get), onlySlice, ends };
    };
    this.standard = delaysOf(standard);
    this.express = delaysOf(stores['s3-express']);
  }

  /**
   * A chain of slices, of which the last one writes to S3 Standard if any does. Each slice waits for a transition, a write
   * and, except for the first with an inline request, a read.
   */
  of(standard: number, express: number, inState: InStateCounts = NOTHING_IN_STATE): RandomSum {
    const key =
      ((standard * MOST_SLICES + express) * MOST_SLICES + inState.answered) * MOST_SLICES + inState.fed;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const distribution = this.sumOf(standard, express, inState);
    const [p50, p95] = [distribution.quantile(0.5), distribution.quantile(0.95)];
    const sum: RandomSum = { distribution, mean: distribution.mean, p50, p95 };
    this.known.set(key, sum);
    return sum;
  }

  private sumOf(standard: number, express: number, inState: InStateCounts): LatencyDistribution {
    if (standard + express === 0) return LatencyDistribution.constant(0);
    const last = standard > 0 ? this.standard : this.express;
    const ofExpress = standard > 0 ? express : express - 1;
    // All slices but the last write to one transport.
    return this.between(this.standard, Math.max(0, standard - 1), ofExpress > 0 ? NOTHING_IN_STATE : inState)
      .plus(this.between(this.express, ofExpress, ofExpress > 0 ? inState : NOTHING_IN_STATE))
      .plus(standard + express > 1 ? last.ends : last.onlySlice);
  }

  private between({ step, put, get }: TransportDelays, slices: number, inState: InStateCounts) {
    const [puts, gets] = [inState.answered, inState.fed].map((saved) => Math.max(0, slices - saved));
    const both = Math.min(puts, gets);
    return step
      .times(both)
      .plus(this.transition.times(slices - both))
      .plus(put.times(puts - both))
      .plus(get.times(gets - both));
  }
}
