/** The model of cost and latency of a pipeline. docs/costs.md describes its formulas and constants. */
import type { SliceDemand, StepChoice, Transport } from './chain';
import { coldShare } from './formulas/lambda';
import { type Store, storesOf } from './formulas/s3';
import { hostOf } from './formulas/slice-timing';
import { executionDollarsPerMs, transitionOf } from './formulas/step-functions';
import type { LatencyDistribution } from './latency/latency-distribution';
import { type CostOptions, withDefaults } from './options';
import { type DetailedStep, type StepSetting, stepOf } from './step';

export function costModel(given: CostOptions = {}): DetailedCostModel {
  return new DetailedCostModel(withDefaults(given));
}

export class DetailedCostModel {
  /** Whether later slices load while the first one runs. */
  readonly warmsUp: boolean;
  /** Probability that a run of `mixed` temperature finds its functions cold. */
  readonly coldShare: number;
  readonly stores: Readonly<Record<Transport, Store>>;
  /** From the end of one handler to the start of the next. */
  readonly transition: LatencyDistribution;
  /** What each millisecond of a run costs besides its steps. */
  readonly dollarsPerMs: number;
  private readonly setting: StepSetting;

  constructor(readonly options: Required<CostOptions>) {
    const { prices, environment, stateMachineType } = options;
    this.warmsUp = options.warmUp;
    this.dollarsPerMs = executionDollarsPerMs(stateMachineType, prices, environment);
    this.coldShare = coldShare(options.requestsPerHour, environment);
    this.stores = storesOf(prices, environment);
    this.transition = transitionOf(stateMachineType, environment);
    this.setting = { options, stores: this.stores, host: hostOf(options) };
  }

  step(demand: SliceDemand, choice: StepChoice): DetailedStep {
    return stepOf(this.setting, demand, choice);
  }
}
