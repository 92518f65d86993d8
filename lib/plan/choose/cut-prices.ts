/** Prices cuts by the schedule of their slices, so that cuts with branches can be compared with those without. */
import type { RunCost } from '../../cost/chain';
import { costOf } from '../../cost/schedule';
import { largestOf, sumOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { busyMs, isNearEmpty } from '../sizes/evenness';
import type { ChosenSettings, Evenness, SearchQuality } from '../slicers/slicer';
import { DEFAULT_GOAL } from '../goal';
import { memoryMb, threadCount } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import type { WiredCut } from '../wiring/wiring';
import { pricedPlan } from '../pricing/price';
import { scheduleSlices } from '../schedule/schedule';
import type { WholeCut } from '../pricing/whole-model';

/** Slices, and what the slicer chose besides. */
export interface ChosenCut extends WiredCut {
  /** Settings of the functions. */
  readonly settings?: ChosenSettings;
  readonly quality?: SearchQuality;
  /** Of a fixed number of slices. */
  readonly evenness?: Evenness<WiredCut>;
  /** The whole model, with consolidation. */
  readonly whole?: WholeCut;
}

/** The bytes that a cut moves, its price and time, and how even its slices are. */
export interface PricedCut {
  readonly movedBytes: number;
  readonly cost: RunCost;
  /** Memory of the largest function. */
  readonly memoryMb: number;
  /** Milliseconds of the function that takes the longest, see `busyMs`. */
  readonly mostMs: number;
  /** Slices that do nearly nothing. */
  readonly nearEmpty: number;
}

export class CutPrices {
  private readonly known = new Map<WiredCut, PricedCut>();

  constructor(private readonly cuts: CutSpace) {}

  /** Every function has the least memory that fits. */
  of(cut: WiredCut): PricedCut {
    const known = this.known.get(cut);
    if (known !== undefined) return known;
    const { bytes, costs } = this.cuts;
    const sizes = sliceSizes(cut.dataflow, cut.wiring, bytes, costs);
    const least = sizes.map(memoryMb);
    const { slices, results } = cut.wiring;
    const model = costs.model();
    const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
    const ofAll = sumOf(seconds);
    const { outcomes } = pricedPlan(
      scheduleSlices({ slices, outputs: results }),
      sizes,
      { memoryMb: least, threads: threadCount(largestOf(least)), transport: 's3-standard' },
      { model, outputSecondsPerByte: costs.outputSecondsPerByte },
    );
    const priced = {
      movedBytes: sumOf(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
      cost: costOf(outcomes, model.coldShare, DEFAULT_GOAL.temperature),
      memoryMb: largestOf(least),
      mostMs: largestOf(sizes.map((size) => busyMs(size, model))),
      nearEmpty: seconds.filter((own) => isNearEmpty(own, ofAll, sizes.length)).length,
    };
    this.known.set(cut, priced);
    return priced;
  }
}
