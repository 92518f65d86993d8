/** The random delays of a run by the number of writes to each transport: a search asks for the same sums many times. */
import type { InStateCounts, Transport } from '../chain';
import type { Store } from '../formulas/s3';
import type { Payload } from '../options';
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

const NOTHING_IN_STATE: InStateCounts = { answered: 0, fed: 0 };

/** Four numbers below this fit exactly into one number. */
const MOST_SLICES = 2 ** 13;

export class RandomDelays {
  private readonly known = new Map<number, RandomSum>();
  private readonly step: Readonly<Record<Transport, LatencyDistribution>>;
  /** The delays of the first and the last slice that the steps between them do not have. */
  private readonly ends: Readonly<Record<Transport, LatencyDistribution>>;
  private readonly onlySlice: Readonly<Record<Transport, LatencyDistribution>>;

  constructor(private readonly sources: DelaySources) {
    this.step = { 's3-standard': this.stepOf('s3-standard'), 's3-express': this.stepOf('s3-express') };
    this.onlySlice = {
      's3-standard': this.onlySliceOf('s3-standard'),
      's3-express': this.onlySliceOf('s3-express'),
    };
    this.ends = { 's3-standard': this.endsOf('s3-standard'), 's3-express': this.endsOf('s3-express') };
  }

  /**
   * A chain of slices, of which the last one writes to S3 Standard if any does. Each slice waits for a transition, a write
   * and, except for the first with an inline request, a read.
   */
  of(standard: number, express: number, inState: InStateCounts = NOTHING_IN_STATE): RandomSum {
    // No plan has so many slices.
    const key =
      ((standard * MOST_SLICES + express) * MOST_SLICES + inState.answered) * MOST_SLICES + inState.fed;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const distribution = this.sumOf(standard, express, inState);
    const sum: RandomSum = {
      distribution,
      mean: distribution.mean,
      p50: distribution.quantile(0.5),
      p95: distribution.quantile(0.95),
    };
    this.known.set(key, sum);
    return sum;
  }

  private sumOf(standard: number, express: number, inState: InStateCounts): LatencyDistribution {
    if (standard + express === 0) return LatencyDistribution.constant(0);
    const last: Transport = standard > 0 ? 's3-standard' : 's3-express';
    const ofStandard = Math.max(0, standard - 1);
    const ofExpress = standard > 0 ? express : express - 1;
    // All slices but the last write to one transport.
    return this.between('s3-standard', ofStandard, ofExpress > 0 ? NOTHING_IN_STATE : inState)
      .plus(this.between('s3-express', ofExpress, ofExpress > 0 ? inState : NOTHING_IN_STATE))
      .plus(standard + express > 1 ? this.ends[last] : this.onlySlice[last]);
  }

  /** The delays of so many slices, each followed by another one. */
  private between(transport: Transport, slices: number, inState: InStateCounts): LatencyDistribution {
    const { stores, transition } = this.sources;
    const { put, get } = stores[transport];
    const [puts, gets] = [inState.answered, inState.fed].map((saved) => Math.max(0, slices - saved));
    const both = Math.min(puts, gets);
    return this.step[transport]
      .times(both)
      .plus(transition.times(slices - both))
      .plus(put.times(puts - both))
      .plus(get.times(gets - both));
  }

  /** With warm-ups, the first of several slices is in a `Parallel` state, which is one more transition. */
  private endsOf(transport: Transport): LatencyDistribution {
    const { transition, warmUp } = this.sources;
    return this.onlySlice[transport].plus(transition.times(warmUp ? 1 : 0));
  }

  private onlySliceOf(transport: Transport): LatencyDistribution {
    const { stores, transition, request, result } = this.sources;
    const { put, get } = stores[transport];
    return transition
      .plus(put)
      .plus(get.times(result === 's3' ? 1 : 0))
      .plus(stores['s3-standard'].get.times(request === 's3' ? 1 : 0));
  }

  private stepOf(transport: Transport): LatencyDistribution {
    const { put, get } = this.sources.stores[transport];
    return this.sources.transition.plus(put).plus(get);
  }
}
