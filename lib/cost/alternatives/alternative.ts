/** The form of an alternative to slices: another service, or another packaging, that runs the whole model. */
import type { RunCost } from '../cost-model';
import type { CostOptions } from '../cost-options';
import { GIB } from '../formulas/s3';
import { MIB } from '../formulas/lambda';
import type { Host } from '../formulas/slice-timing';

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

/** Limits that a user sets. An alternative that breaks one is out. */
export interface Targets {
  /** Longest time of a run in milliseconds. */
  readonly maxLatencyMs?: number;
  /** Which quantile must be within `maxLatencyMs`. @default 'p95' */
  readonly quantile?: 'p50' | 'p95';
  /** Which runs must be within `maxLatencyMs`. @default 'warm' */
  readonly temperature?: 'warm' | 'cold';
  readonly maxDollarsPerMillion?: number;
  /** Most memory in MB of a Lambda function, such as 3,008 in new accounts. */
  readonly maxMemoryMb?: number;
}

export interface AlternativeSetting {
  readonly options: Required<CostOptions>;
  readonly targets: Targets;
  /** Whether results go to S3 even if they fit into a response, as those of slices do. */
  readonly resultInS3: boolean;
}

export const ALTERNATIVES = [
  'slices',
  'one-function',
  'container-image',
  'snap-start',
  'managed-instances',
  'managed-instances-gpu',
  'sagemaker-serverless',
  'fargate',
] as const;

export type AlternativeId = (typeof ALTERNATIVES)[number];

export interface Alternative {
  readonly id: AlternativeId;
  /** Its name in a sentence, such as `one Lambda function`. */
  readonly name: string;
  /** Its size in a sentence, such as `2,048 MB`. */
  readonly size: string;
  /** Sentences on the limits that it breaks; none if it can be used. */
  readonly breaks: readonly string[];
  /** Sentences on what a user must know besides. */
  readonly notes: readonly string[];
  readonly warm: RunCost;
  /** The same as `warm` for what is always on. */
  readonly cold: RunCost;
  /** Dollars a month at a rate of requests per hour, with what is charged between requests. */
  readonly dollarsPerMonth: (requestsPerHour: number) => number;
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

/** Monthly dollars of what is paid for each run, a share of which is cold. */
export function payPerRun(
  warm: RunCost,
  cold: RunCost,
  coldShare: (requestsPerHour: number) => number,
  standingDollars: number,
): (requestsPerHour: number) => number {
  return (rate) => {
    const share = coldShare(rate);
    return HOURS_PER_MONTH * rate * (warm.dollars * (1 - share) + cold.dollars * share) + standingDollars;
  };
}

/** Sentences on the targets that runs miss. */
export function missedTargets(warm: RunCost, cold: RunCost, targets: Targets): string[] {
  const {
    maxLatencyMs = Infinity,
    quantile = 'p95',
    temperature = 'warm',
    maxDollarsPerMillion = Infinity,
  } = targets;
  const ms = (temperature === 'warm' ? warm : cold).latency[quantile];
  const million = (temperature === 'warm' ? warm : cold).dollars * 1e6;
  return [
    ...(ms > maxLatencyMs
      ? [
          `the ${quantile} of a ${temperature} run is ${inMs(ms)}, and at most ${inMs(maxLatencyMs)} are allowed`,
        ]
      : []),
    ...(million > maxDollarsPerMillion
      ? [
          `a million ${temperature} runs cost ${inDollars(million)}, and at most ${inDollars(maxDollarsPerMillion)} are allowed`,
        ]
      : []),
  ];
}

/**
 * The best of several sizes: the one with the lowest price that breaks nothing, or else the one that breaks least and is
 * fastest.
 */
export function bestOf<T extends Alternative>(sizes: readonly T[], price: (size: T) => number): T {
  return sizes.reduce((best, own) => (isBetter(own, best, price) ? own : best));
}

function isBetter<T extends Alternative>(one: T, other: T, price: (size: T) => number): boolean {
  if (one.breaks.length !== other.breaks.length) return one.breaks.length < other.breaks.length;
  if (one.breaks.length > 0) return one.warm.latency.p95 < other.warm.latency.p95;
  return price(one) < price(other);
}

/** The price of a warm run, or of a month if the rate of requests is known. */
export function runPrice({ options }: AlternativeSetting): (size: Alternative) => number {
  const rate = options.requestsPerHour;
  return (size) => (rate > 0 ? size.dollarsPerMonth(rate) : size.warm.dollars);
}

/** The price of a month at the known rate of requests, or at one request an hour. */
export function monthPrice({ options }: AlternativeSetting): (size: Alternative) => number {
  return (size) => size.dollarsPerMonth(options.requestsPerHour || 1);
}

export function inMs(ms: number): string {
  return ms < 10_000 ? `${grouped(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function inDollars(dollars: number): string {
  return `$${dollars < 10 ? dollars.toFixed(2) : grouped(dollars)}`;
}

export function inMb(megabytes: number): string {
  return `${grouped(megabytes)} MB`;
}

export function inGb(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GB`;
}

export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
