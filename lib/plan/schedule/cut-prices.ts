/** Prices cuts by the schedule of their slices, so that cuts with branches can be compared with those without. */
import type { RunCost } from '../../cost/cost-model';
import { largestOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { unevenness } from '../search/evenness';
import type { ChosenSettings, SearchQuality } from '../search/plan-request';
import { DEFAULT_GOAL } from '../search/slicer';
import { isWorthwhile } from '../search/worth';
import type { SliceSize } from '../sizes/estimate';
import { memoryMb, threadCount } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import type { WiredCut } from '../wiring/wiring';
import { priceSchedule } from './price';
import { scheduleSlices } from './schedule';
import type { WholeCut } from './whole-model';

/** Slices, and what the slicer chose besides. */
export interface ChosenCut extends WiredCut {
  /** Settings of the functions. */
  readonly settings?: ChosenSettings;
  readonly quality?: SearchQuality;
  /** The whole model, with consolidation. */
  readonly whole?: WholeCut;
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
  private readonly known = new Map<WiredCut, PricedCut>();

  constructor(private readonly cuts: CutSpace) {}

  /** Every function has the least memory that fits. */
  of(cut: WiredCut): PricedCut {
    const known = this.known.get(cut);
    if (known !== undefined) return known;
    const sizes = this.sizesOf(cut);
    const least = sizes.map(memoryMb);
    const { slices, results } = cut.wiring;
    const { costs } = this.cuts;
    const { cost } = priceSchedule(
      scheduleSlices({ slices, outputs: results }),
      sizes,
      { memoryMb: least, threads: threadCount(largestOf(least)), transport: 's3-standard' },
      {
        model: costs.model(),
        temperature: DEFAULT_GOAL.temperature,
        outputSecondsPerByte: costs.outputSecondsPerByte,
      },
    );
    const priced = {
      movedBytes: sum(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
      cost,
      ...shapeOf(cut, sizes),
    };
    this.known.set(cut, priced);
    return priced;
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
