/** Prices cuts by the schedule of their slices, so that cuts with branches can be compared with those without. */
import type { RunCost } from '../../cost/cost-model';
import { largestOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { unevenness } from '../search/evenness';
import type { ChosenSettings, SearchQuality } from '../search/plan-request';
import type { Goal } from '../search/slicer';
import { isWorthwhile } from '../search/worth';
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
}

/** The bytes that a cut moves, and its price and time. */
export interface PricedCut {
  readonly movedBytes: number;
  readonly cost: RunCost;
  /** Slices that are not worth a function. */
  readonly worthless: number;
  /** 1 for equal slices; see `unevenness`. */
  readonly unevenness: number;
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
    const priced = {
      movedBytes: sum(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
      cost: this.run(cut, settings, sizes).cost,
      ...shapeOf(cut, sizes),
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

function shapeOf(
  { groups }: WiredCut,
  sizes: readonly SliceSize[],
): Pick<PricedCut, 'worthless' | 'unevenness'> {
  const whole = {
    nodes: sum(groups.map((nodes) => nodes.length)),
    coreSeconds: sum(sizes.map(({ coreSeconds }) => coreSeconds)),
    weightBytes: sum(sizes.map(({ weightBytes }) => weightBytes)),
  };
  const slices = sizes.length;
  return {
    worthless: sizes.filter((size) => !isWorthwhile(size, whole, slices)).length,
    unevenness: sum(
      sizes.map(({ weightBytes }, slice) =>
        unevenness({ nodes: groups[slice].length, weightBytes }, whole, slices),
      ),
    ),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
