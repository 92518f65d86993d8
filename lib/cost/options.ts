/** The choices of a pipeline that decide what its runs cost, besides its slices. */
import { type Environment, type Prices, DEFAULT_ENVIRONMENT, DEFAULT_PRICES } from './constants/defaults';
import type { Architecture } from './formulas/lambda';
import type { StateMachineType } from './formulas/step-functions';

/** Where the tensors of a request or a result are: in the state machine's payload, or in S3 Standard. */
export type Payload = 'inline' | 's3';

/**
 * Not part of the model: traces, metrics and alarms, provisioned concurrency, NAT gateways, KMS requests, and free
 * tiers. The model leaves a place for one function that answers when it is warm: another path beside the chain.
 */
export interface CostOptions {
  /** @default 'express' */
  readonly stateMachineType?: StateMachineType;
  /** @default 'x86_64' */
  readonly architecture?: Architecture;
  /**
   * Whether later slices load while the first one runs.
   *
   * @default - as pipelines choose: always with Express, and with Standard if that saves two seconds of loading. The search for
   * plans, which does not know their files yet, counts warm-ups.
   */
  readonly warmUp?: boolean;
  /** Whether sessions rewrite weights for their kernels: loads take longer, and runs are faster. @default true */
  readonly prepacking?: boolean;
  /** Rate of a mix of warm and cold runs. Without it, every run of a mix is cold. */
  readonly requestsPerHour?: number;
  /** @default false */
  readonly networkInVpc?: boolean;
  /** @default 's3' */
  readonly request?: Payload;
  /** Functions write results to S3 in both cases. With `inline`, the caller need not read them there. @default 's3' */
  readonly result?: Payload;
  /**
   * Whether small tensors between slices travel in the state of the execution. `Slicing.automatic` counts them when it
   * compares plans; a fixed number of slices and a limit on their size count all of them in S3.
   *
   * @default true
   */
  readonly tensorsInState?: boolean;
  /** Days until tensors between slices expire. @default 1 */
  readonly intermediateRetentionDays?: number;
  /** Days until requests and results in S3 expire. @default 7 */
  readonly outputRetentionDays?: number;
  /** @default list prices of us-east-1 */
  readonly prices?: Prices;
  /** @default published measurements */
  readonly environment?: Environment;
}

export function withDefaults(options: CostOptions): Required<CostOptions> {
  return {
    stateMachineType: options.stateMachineType ?? 'express',
    architecture: options.architecture ?? 'x86_64',
    warmUp: options.warmUp ?? true,
    prepacking: options.prepacking ?? true,
    requestsPerHour: options.requestsPerHour ?? 0,
    networkInVpc: options.networkInVpc ?? false,
    request: options.request ?? 's3',
    result: options.result ?? 's3',
    tensorsInState: options.tensorsInState ?? true,
    intermediateRetentionDays: options.intermediateRetentionDays ?? 1,
    outputRetentionDays: options.outputRetentionDays ?? 7,
    prices: options.prices ?? DEFAULT_PRICES,
    environment: options.environment ?? DEFAULT_ENVIRONMENT,
  };
}
