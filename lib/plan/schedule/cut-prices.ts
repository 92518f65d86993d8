/** Prices cuts by the schedule of their slices, so that cuts with branches can be compared with those without. */
import type { RunCost } from '../../cost/cost-model';
import { largestOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { busyMs, isNearEmpty } from '../search/evenness';
import type { ChosenSettings, Evenness, SearchQuality } from '../search/plan-request';
import type { Goal } from '../search/slicer';
import type { SliceSize } from '../sizes/estimate';
import { memoryMb, threadCount } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import type { WiredCut } from '../wiring/wiring';
import type { PricedRun, SliceSettings } from './price';
import { priceSchedule } from './price';
import { scheduleSlices } from './schedule';

/** Slices, and what the slicer chose besides. */
export interface ChosenCut extends WiredCut {
  /** Settings of the functions. */
  readonly settings?: ChosenSettings;
  readonly quality?: SearchQuality;
  /** Of a fixed number of slices. */
  readonly evenness?: Evenness<WiredCut>;
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
  private readonly known = new Map<ChosenCut, PricedCut>();

  constructor(
    private readonly cuts: CutSpace,
    private readonly goal: Goal,
  ) {}

  /** Without settings, every function has the least memory that fits. */
  of(cut: ChosenCut): PricedCut {
    const known = this.known.get(cut);
    if (known !== undefined) return known;
    const sizes = this.sizesOf(cut);
    const least = sizes.map(memoryMb);
    const settings: SliceSettings = cut.settings ?? {
      memoryMb: least,
      threads: threadCount(largestOf(least)),
      transport: 's3-standard',
    };
    const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
    const ofAll = sum(seconds);
    const model = this.cuts.costs.model(this.goal.requestsPerHour);
    const priced = {
      movedBytes: sum(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
      cost: this.run(cut, settings, sizes).cost,
      memoryMb: largestOf(least),
      mostMs: largestOf(sizes.map((size) => busyMs(size, model))),
      nearEmpty: seconds.filter((own) => isNearEmpty(own, ofAll, sizes.length)).length,
    };
    this.known.set(cut, priced);
    return priced;
  }

  /** The totals and the cost of the cut with other settings. */
  run(cut: WiredCut, settings: SliceSettings, sizes = this.sizesOf(cut)): PricedRun {
    const { goal } = this;
    const { costs } = this.cuts;
    const { slices, results } = cut.wiring;
    return priceSchedule(scheduleSlices({ slices, outputs: results }), sizes, settings, {
      model: costs.model(goal.requestsPerHour),
      temperature: goal.temperature,
      outputSecondsPerByte: costs.outputSecondsPerByte,
    });
  }

  private sizesOf({ dataflow, wiring }: WiredCut): SliceSize[] {
    const { bytes, costs } = this.cuts;
    return sliceSizes(dataflow, wiring, bytes, costs);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
