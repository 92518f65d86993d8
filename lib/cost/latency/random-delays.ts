/** The random delays of a run by the number of writes to each transport: a search asks for the same sums many times. */
import type { InStateCounts, Transport } from '../chain';
import type { Store } from '../formulas/s3';
import type { CostOptions } from '../options';
import { LatencyDistribution } from './latency-distribution';

export interface RandomSum {
  readonly distribution: LatencyDistribution;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

/** The delays of slices that write to one transport. */
interface TransportDelays extends Pick<Store, 'get' | 'put'> {
  /** Of a slice that is followed by another one. */
  readonly step: LatencyDistribution;
  readonly onlySlice: LatencyDistribution;
  /** The delays of the first and the last slice that the steps between them do not have. */
  readonly ends: LatencyDistribution;
}

const NOTHING_IN_STATE: InStateCounts = { answered: 0, fed: 0 };

/** Four numbers below this fit exactly into one number. No plan has so many slices. */
const MOST_SLICES = 2 ** 13;

export class RandomDelays {
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

  /** The delays of so many slices, each followed by another one. */
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
