/** The form of an alternative to slices: another service, or another packaging, that runs the whole model. */
import type { Latency, Temperature } from '../chain';
import type { CostOptions } from '../options';
import { MIB } from '../formulas/lambda';
import type { Host } from '../formulas/slice-timing';
import type { LatencyDistribution } from '../latency/latency-distribution';

/** What the whole model needs, whatever runs it. */
export interface WholeModel {
  /** The least memory in MB with which one process can run the model. */
  readonly peakMemoryMb: number;
  readonly fileBytes: number;
  /** Seconds of computing on one vCPU of Lambda. */
  readonly coreSeconds: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Limits that a user sets. An alternative that breaks one is out. They bind runs of the compared temperature. */
export interface Targets {
  /** Longest time of a run in milliseconds. */
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
  /** Whether results go to S3 even if they fit into a response, as those of slices do. */
  readonly resultInS3: boolean;
}

export const ALTERNATIVES = [
  'slices',
  'one-function',
  'container-image',
  'snap-start',
  'micro-vm',
  'managed-instances',
  'managed-instances-gpu',
  'sagemaker-serverless',
  'fargate',
] as const;

export type AlternativeId = (typeof ALTERNATIVES)[number];

/** Runs of one temperature. */
export interface AlternativeRun {
  /** Mean price of a run, without what is charged between runs. Undefined if a service charges by the hour. */
  readonly dollars?: number;
  readonly time: LatencyDistribution;
}

/** One size of an alternative, such as the memory of a function. */
export interface AlternativeSize {
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

/** How an alternative is named and what a user must know of it. */
export interface AlternativeName {
  readonly id: AlternativeId;
  /** Its name in a sentence, such as `one Lambda function`. */
  readonly name: string;
  /** Sentences on what a user must know besides. */
  readonly notes: readonly string[];
  /** What its price or its time rests on without any source. A sentence that recommends it names this. */
  readonly guess?: string;
}

/** An alternative at one rate of requests, with the size that suits the rate best. */
export interface Offer {
  readonly size: string;
  /** Sentences on the limits that this size breaks; none if it can be used. */
  readonly breaks: readonly string[];
  readonly warm: AlternativeRun;
  readonly cold: AlternativeRun;
  readonly dollarsPerMonth: number;
}

export interface Alternative extends AlternativeName {
  /** The cheapest of its sizes that break no limit at this rate; infinite if all break one. */
  dollarsPerMonth(requestsPerHour: number): number;
  /** The cheapest size that breaks no limit at this rate, or else one that breaks the fewest. */
  at(requestsPerHour: number): Offer;
}

/** Average hours of a month. */
export const HOURS_PER_MONTH = 730;

export const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600;

/** Bytes of base64 for each byte. */
const BASE64 = 4 / 3;

/** Whether tensors fit into a payload of so many MiB as base64. */
export function fitsInline(bytes: number, payloadMb: number): boolean {
  return bytes * BASE64 <= payloadMb * MIB;
}

export function hostOf({ options }: AlternativeSetting): Host {
  const { architecture, environment, networkInVpc, tls } = options;
  return { architecture, environment, inVpc: networkInVpc, tls };
}

/** A run with a price, as all runs that are paid one by one have it. */
export interface PaidRun extends AlternativeRun {
  readonly dollars: number;
}

/** Dollars a month of what is paid for each run. */
export function payPerRun(
  warm: PaidRun,
  cold: PaidRun,
  standingDollars: number,
): AlternativeSize['dollarsPerMonth'] {
  return (rate, coldShare) =>
    HOURS_PER_MONTH * rate * (warm.dollars * (1 - coldShare) + cold.dollars * coldShare) + standingDollars;
}
