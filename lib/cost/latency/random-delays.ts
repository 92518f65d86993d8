/** The random delays of a run by the number of writes to each transport: a search asks for the same sums many times. */
import type { Transport } from '../cost-model';
import type { Store } from '../formulas/s3';
import type { Payload } from '../cost-options';
import { LatencyDistribution } from './latency-distribution';

export interface RandomSum {
  readonly distribution: LatencyDistribution;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

/** Delays that happen once for each write, request, result or state. */
export interface DelaySources {
  readonly stores: Readonly<Record<Transport, Store>>;
  readonly transition: LatencyDistribution;
  readonly request: Payload;
  readonly result: Payload;
  readonly warmUp: boolean;
}

export class RandomDelays {
  private readonly known = new Map<number, RandomSum>();
  private readonly step: Readonly<Record<Transport, LatencyDistribution>>;
  private readonly last: Readonly<Record<Transport, LatencyDistribution>>;

  constructor(private readonly sources: DelaySources) {
    this.step = { 's3-standard': this.stepOf('s3-standard'), 's3-express': this.stepOf('s3-express') };
    this.last = { 's3-standard': this.lastOf('s3-standard'), 's3-express': this.lastOf('s3-express') };
  }

  /**
   * A chain of slices, of which the last one writes to S3 Standard if any does. Each slice waits for a transition, a write
   * and, except for the first with an inline request, a read.
   */
  of(standard: number, express: number): RandomSum {
    // No plan has a million slices.
    const key = standard * 1e6 + express;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const distribution = this.sumOf(standard, express);
    const sum: RandomSum = {
      distribution,
      mean: distribution.mean,
      p50: distribution.quantile(0.5),
      p95: distribution.quantile(0.95),
    };
    this.known.set(key, sum);
    return sum;
  }

  private sumOf(standard: number, express: number): LatencyDistribution {
    if (standard + express === 0) return LatencyDistribution.constant(0);
    const last: Transport = standard > 0 ? 's3-standard' : 's3-express';
    return this.step['s3-standard']
      .times(Math.max(0, standard - 1))
      .plus(this.step['s3-express'].times(standard > 0 ? express : express - 1))
      .plus(this.last[last])
      .plus(this.start(standard + express));
  }

  /** With warm-ups, the first slice is in a `Parallel` state, which is one more transition. */
  private start(slices: number): LatencyDistribution {
    const { transition, stores, request, warmUp } = this.sources;
    const parallels = warmUp && slices > 1 ? 1 : 0;
    const read = request === 's3' ? stores['s3-standard'].get : LatencyDistribution.constant(0);
    return transition.times(parallels).plus(read);
  }

  private stepOf(transport: Transport): LatencyDistribution {
    const { put, get } = this.sources.stores[transport];
    return this.sources.transition.plus(put).plus(get);
  }

  private lastOf(transport: Transport): LatencyDistribution {
    const { put, get } = this.sources.stores[transport];
    const written = this.sources.transition.plus(put);
    return this.sources.result === 's3' ? written.plus(get) : written;
  }
}
