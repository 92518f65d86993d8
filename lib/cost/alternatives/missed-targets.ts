/** The limits of a user that a size of an alternative misses, for runs of the compared temperature. */
import type { Latency, Temperature } from '../chain';
import { GRID_MS } from '../latency/latency-distribution';
import { type AlternativeSize, type Targets, HOURS_PER_MONTH } from './alternative';
import { inDollars, inMs } from './wording';

const QUANTILES: Readonly<Record<keyof Latency, number>> = { p50: 0.5, p95: 0.95 };

/** More than the quantile of a mix is rounded. */
const NEAR_MS = 2 * GRID_MS;

export class MissedTargets {
  private readonly maxLatencyMs: number;
  private readonly quantile: keyof Latency;
  private readonly maxDollarsPerMillion: number;

  constructor(
    targets: Targets,
    private readonly temperature: Temperature,
  ) {
    this.maxLatencyMs = targets.maxLatencyMs ?? Infinity;
    this.quantile = targets.quantile ?? 'p95';
    this.maxDollarsPerMillion = targets.maxDollarsPerMillion ?? Infinity;
  }

  /** Whether there is no limit to miss. */
  get areUnlimited(): boolean {
    return this.maxLatencyMs === Infinity && this.maxDollarsPerMillion === Infinity;
  }

  /** @param coldShare share of the compared runs that is cold */
  count(size: AlternativeSize, requestsPerHour: number, coldShare: number): number {
    return (
      Number(!this.keepsLatency(size, coldShare)) + Number(!this.keepsPrice(size, requestsPerHour, coldShare))
    );
  }

  /** Sentences, none if the limits are kept. */
  of(size: AlternativeSize, requestsPerHour: number, coldShare: number): string[] {
    return [
      ...(this.keepsLatency(size, coldShare) ? [] : [this.latencySentence(size, coldShare)]),
      ...(this.keepsPrice(size, requestsPerHour, coldShare)
        ? []
        : [this.priceSentence(dollarsPerMillion(size, requestsPerHour, coldShare))]),
    ];
  }

  private keepsPrice(size: AlternativeSize, requestsPerHour: number, coldShare: number): boolean {
    if (this.maxDollarsPerMillion === Infinity) return true;
    return dollarsPerMillion(size, requestsPerHour, coldShare) <= this.maxDollarsPerMillion;
  }

  /** By the quantile that is printed. A mix of runs takes long to compute, so it decides only if the limit is about as long. */
  keepsLatency(size: AlternativeSize, coldShare: number): boolean {
    const { warm, cold } = size;
    const share = QUANTILES[this.quantile];
    const within = (ms: number): number =>
      (1 - coldShare) * warm.time.shareWithin(ms) + coldShare * cold.time.shareWithin(ms);
    if (within(this.maxLatencyMs - NEAR_MS) >= share) return true;
    return (
      within(this.maxLatencyMs + NEAR_MS) >= share && this.latencyMs(size, coldShare) <= this.maxLatencyMs
    );
  }

  private priceSentence(million: number): string {
    return `a million ${this.temperature} runs cost ${inDollars(million)}, and at most ${inDollars(this.maxDollarsPerMillion)} are allowed`;
  }

  private latencyMs({ warm, cold }: AlternativeSize, coldShare: number): number {
    return warm.time.mixedWith(cold.time, coldShare).quantile(QUANTILES[this.quantile]);
  }

  private latencySentence(size: AlternativeSize, coldShare: number): string {
    const ms = inMs(this.latencyMs(size, coldShare));
    return `the ${this.quantile} of a ${this.temperature} run is ${ms}, and at most ${inMs(this.maxLatencyMs)} are allowed`;
  }
}

/** What is charged by the hour is shared by the runs of the hour. */
function dollarsPerMillion(size: AlternativeSize, rate: number, coldShare: number): number {
  const { warm, cold } = size;
  if (warm.dollars !== undefined && cold.dollars !== undefined)
    return 1e6 * (warm.dollars * (1 - coldShare) + cold.dollars * coldShare);
  return (1e6 * size.dollarsPerMonth(rate, coldShare)) / (HOURS_PER_MONTH * rate);
}
