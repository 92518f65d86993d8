/** An alternative to slices: another service that runs the whole model in one of several sizes. */
import { type Latency, type Temperature, QUANTILES, coldShareAt } from '../chain';
import { coldShare } from '../formulas/lambda';
import type { LatencyDistribution } from '../latency/latency-distribution';
import type { CostOptions } from '../options';
import { inDollars, inMs } from './wording';

export interface WholeModel {
  /** The least memory in MB with which one process can run the model. */
  readonly peakMemoryMb: number;
  readonly fileBytes: number;
  /** See `SliceDemand`. */
  readonly packedBytes: number;
  readonly activationBytes: number;
  /** Seconds of computing on one vCPU of Lambda. */
  readonly coreSeconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Limits that a user sets. An alternative that breaks one is out. They bind runs of the compared temperature. */
export interface Targets {
  readonly maxLatencyMs?: number;
  /** Which quantile must be within `maxLatencyMs`. @default 'p95' */
  readonly quantile?: keyof Latency;
  readonly maxDollarsPerMillion?: number;
  /** Most memory in MB of a Lambda function, such as 3,008 in new accounts. */
  readonly maxMemoryMb?: number;
}

export interface AlternativeSetting {
  readonly options: Required<CostOptions>;
  readonly targets: Targets;
  /** The runs that all alternatives are compared by. A mix has as many cold runs as the rate of requests implies. */
  readonly temperature: Temperature;
}

export type AlternativeId =
  | 'slices'
  | 'one-function'
  | 'fargate'
  | 'image'
  | 'snap-start'
  | 'microvms'
  | 'managed-instances'
  | 'gpu-instances'
  | 'sagemaker-serverless'
  | 'sagemaker-asynchronous';

/** The highest rate of requests per hour at which services are compared: 2,800 a second. */
export const GREATEST_RATE = 10_000_000;

export interface AlternativeRun {
  /** Mean price of a run, without what is charged between runs. Undefined if a service charges by the hour. */
  readonly dollars?: number;
  readonly time: LatencyDistribution;
}

export interface AlternativeSize {
  /** Of a Lambda function. */
  readonly memoryMb?: number;
  /** In a sentence, such as `2,048 MB`. Services that are always on have more instances at a higher rate. */
  nameAt(requestsPerHour: number): string;
  /** Sentences on the limits that it breaks at every rate of requests. */
  readonly breaks: readonly string[];
  readonly warm: AlternativeRun;
  /** The same as `warm` for what is always on. */
  readonly cold: AlternativeRun;
  /** Dollars a month with what is charged between requests, if this share of the runs is cold. */
  dollarsPerMonth(requestsPerHour: number, coldShare: number): number;
}

interface AlternativeName {
  readonly id: AlternativeId;
  /** Its name in a sentence, such as `one Lambda function`. */
  readonly name: string;
  /** What of its price or its time is a guess, and the source of the rest, in a sentence. @default - nothing is a guess */
  readonly guess?: string;
  /** Sentences on what a user must know besides. */
  readonly notes: readonly string[];
}

export interface Service extends AlternativeName {
  /** One or more; of equally good ones, the first is chosen. */
  readonly sizes: readonly AlternativeSize[];
}

/** An alternative at one rate of requests, with the size that suits the rate best. */
export interface Offer {
  readonly size: string;
  /** Of the size, among those of the service. */
  readonly index: number;
  /** Of a Lambda function. */
  readonly memoryMb?: number;
  /** Sentences on the limits that this size breaks; none if it can be used. */
  readonly breaks: readonly string[];
  readonly warm: AlternativeRun;
  readonly cold: AlternativeRun;
  readonly dollarsPerMonth: number;
}

export interface Alternative extends AlternativeName {
  /**
   * The cheapest size that breaks no limit at this rate, or else one that breaks the fewest. Beside a rival, the cheapest of those
   * that are at least as cheap and as fast as the rival, if there are any.
   *
   * @param index of a size that is offered instead, as at the ends of all times
   */
  at(requestsPerHour: number, index?: number): Offer;
}

/** Average hours of a month. */
export const HOURS_PER_MONTH = 730;

export function payPerRun(
  warm: Required<AlternativeRun>,
  cold: Required<AlternativeRun>,
  storageDollars: number,
): AlternativeSize['dollarsPerMonth'] {
  return (rate, share) =>
    HOURS_PER_MONTH * rate * (warm.dollars * (1 - share) + cold.dollars * share) + storageDollars;
}

/** @param rival with which its size is compared */
export function alternativeOf(
  setting: AlternativeSetting,
  { sizes, ...name }: Service,
  rival?: Alternative,
): Alternative {
  const at = (rate: number, only?: number): Offer => {
    const share = comparedColdShare(setting, rate);
    const offers = sizes.map((size, index): Offer => {
      const { warm, cold } = size;
      const breaks = [...size.breaks, ...missedTargets(setting, size, rate, share)];
      return {
        ...{ size: size.nameAt(rate), index },
        ...(size.memoryMb !== undefined && { memoryMb: size.memoryMb }),
        ...{ breaks, warm, cold, dollarsPerMonth: size.dollarsPerMonth(rate, share) },
      };
    });
    return only === undefined ? bestOf(offers, rival?.at(rate)) : offers[only];
  };
  return { ...name, at };
}

/** More memory that makes a cold run faster by less than this factor is not worth its price. */
const SIMILAR = 1.1;

/** Of the sizes that break the fewest limits. */
function bestOf(offers: readonly Offer[], rival: Offer | undefined): Offer {
  const fewest = Math.min(...offers.map(({ breaks }) => breaks.length));
  const usable = offers.filter(({ breaks }) => breaks.length === fewest);
  return cheapestOf(rival === undefined || rival.breaks.length > 0 ? usable : beside(rival, usable));
}

/** Those that are no worse than the rival in anything; else those that cost no more and are about as fast as these can be. */
function beside(rival: Offer, offers: readonly Offer[]): readonly Offer[] {
  const p50 = (offer: Offer, temperature: 'warm' | 'cold'): number => offer[temperature].time.quantile(0.5);
  const affordable = offers.filter(({ dollarsPerMonth }) => dollarsPerMonth <= rival.dollarsPerMonth);
  if (affordable.length === 0) return offers;
  const better = affordable.filter(
    (own) => p50(own, 'warm') <= p50(rival, 'warm') && p50(own, 'cold') <= p50(rival, 'cold'),
  );
  if (better.length > 0) return better;
  const fastest = Math.min(...affordable.map((own) => p50(own, 'cold')));
  return affordable.filter((own) => p50(own, 'cold') <= SIMILAR * fastest);
}

function cheapestOf(offers: readonly Offer[]): Offer {
  return offers.reduce((a, b) => (b.dollarsPerMonth < a.dollarsPerMonth ? b : a));
}

/** The share of cold runs by which alternatives are compared: those of the goal, or as many as the rate implies. */
export function comparedColdShare(
  { temperature, options }: Pick<AlternativeSetting, 'temperature' | 'options'>,
  rate: number,
): number {
  return coldShareAt(temperature, coldShare(rate, options.environment));
}

function missedTargets(
  { targets, temperature }: AlternativeSetting,
  size: AlternativeSize,
  rate: number,
  share: number,
): string[] {
  const { maxLatencyMs = Infinity, quantile = 'p95', maxDollarsPerMillion = Infinity } = targets;
  const [warm, cold] = [size.warm.time, size.cold.time];
  const inTime = (1 - share) * warm.shareWithin(maxLatencyMs) + share * cold.shareWithin(maxLatencyMs);
  const missed: string[] = [];
  if (inTime < QUANTILES[quantile]) {
    const ms = inMs(warm.mixedWith(cold, share).quantile(QUANTILES[quantile]));
    missed.push(
      `the ${quantile} of a ${temperature} run is ${ms}, and at most ${inMs(maxLatencyMs)} are allowed`,
    );
  }
  const dollars = dollarsPerMillion(size, rate, share);
  if (dollars > maxDollarsPerMillion) {
    const most = inDollars(maxDollarsPerMillion);
    missed.push(`a million ${temperature} runs cost ${inDollars(dollars)}, and at most ${most} are allowed`);
  }
  return missed;
}

/** What is charged by the hour is shared by the runs of the hour. */
function dollarsPerMillion(size: AlternativeSize, rate: number, share: number): number {
  const { warm, cold } = size;
  if (warm.dollars !== undefined && cold.dollars !== undefined)
    return 1e6 * (warm.dollars * (1 - share) + cold.dollars * share);
  return (1e6 * size.dollarsPerMonth(rate, share)) / (HOURS_PER_MONTH * rate);
}
