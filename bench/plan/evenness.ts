/** How even the slices of a fixed number are, and what that costs, compared with the cheapest cuts of the same run. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { plannedRuns } from '../../lib/compile/plan-estimates';
import { costOf } from '../../lib/cost/schedule-cost';
import { bestCut } from '../../lib/plan/best-cut';
import { mostSlices } from '../../lib/plan/cuts/cuts';
import { countedSlices } from '../../lib/plan/slicing/count';
import { MOST_BYTES_FACTOR } from '../../lib/plan/search/even-path';
import { busyMs } from '../../lib/plan/sizes/evenness';
import type { Slicer } from '../../lib/plan/slicing';
import type { SliceSize } from '../../lib/plan/sizes/estimate';
import { memoryMb, peakBytes } from '../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../lib/plan/sizes/slice-sizes';
import type { WiredCut } from '../../lib/plan/wiring/wiring';
import { StreamedTable } from './streamed-table';
import type { Subject } from './subjects';

const SLICES = [2, 4, 8];

/** How many times the bytes of the cheapest cut that shares the work a cut may move. */
const FACTORS = [1, 1.5, MOST_BYTES_FACTOR, 3, Infinity];

interface Shape {
  /** Share of all slices' work that the slice with the most work does. */
  readonly work: number;
  /** The longest time of a function, relative to an equal share. */
  readonly time: number;
  /** The largest peak of a function, relative to that of the whole model. */
  readonly peak: number;
  /** Memory of the largest function. */
  readonly memoryMb: number;
  readonly movedBytes: number;
  readonly dollars: number;
}

export function measureEvenness(subjects: Iterable<Subject>): void {
  const table = new StreamedTable(
    'the largest slice of the cheapest cuts -> of count(n), and what count(n) moves and costs relative to the cheapest cuts',
    [
      { name: 'model', width: 44 },
      { name: 'slices', width: 6 },
      { name: 'work %', width: 14 },
      { name: 'peak %', width: 14 },
      { name: 'function MB', width: 14 },
      { name: 'bytes', width: 6 },
      { name: 'price', width: 5 },
    ],
  );
  const ratios = FACTORS.map((): Ratios[] => []);
  for (const { name, analyzed } of subjects) {
    for (const slices of SLICES.filter((count) => count <= mostSlices(analyzed.cuts))) {
      FACTORS.forEach((factor, index) => {
        const cut = bestCut(analyzed.dataflow, analyzed.cuts, counted(slices, factor));
        if (cut.evenness === undefined) throw new Error('slices of a fixed number have an evenness');
        const [even, cheapest] = [shapeOf(analyzed, cut), shapeOf(analyzed, cut.evenness.cheapest)];
        const bytes = even.movedBytes / cheapest.movedBytes;
        const price = even.dollars / cheapest.dollars;
        ratios[index].push({ time: even.time, bytes, price });
        if (factor === MOST_BYTES_FACTOR)
          table.row([
            name,
            slices,
            change(cheapest, even, ({ work }) => 100 * work),
            change(cheapest, even, ({ peak }) => 100 * peak),
            change(cheapest, even, ({ memoryMb: mb }) => mb),
            bytes.toFixed(2),
            price.toFixed(2),
          ]);
      });
    }
  }
  summarize(ratios);
}

interface Ratios {
  readonly time: number;
  readonly bytes: number;
  readonly price: number;
}

function summarize(ratios: readonly (readonly Ratios[])[]): void {
  const table = new StreamedTable(
    'by factor on the bytes: the longest time relative to an equal share; bytes and price relative to the cheapest cuts: mean (largest)',
    [{ name: 'factor', width: 8 }, ...['time', 'bytes', 'price'].map((name) => ({ name, width: 14 }))],
  );
  FACTORS.forEach((factor, index) => {
    const cell = (field: keyof Ratios): string => {
      const values = ratios[index].map((each) => each[field]);
      return `${(sum(values) / values.length).toFixed(2)} (${Math.max(...values).toFixed(2)})`;
    };
    table.row([factor, cell('time'), cell('bytes'), cell('price')]);
  });
}

function counted(slices: number, bytesFactor: number): Slicer {
  return {
    key: `count ${slices} within ${bytesFactor}`,
    choose: (space) => countedSlices(space, slices, { bytesFactor }),
  };
}

function shapeOf(analyzed: AnalyzedModel, cut: WiredCut): Shape {
  const { bytes, costs } = analyzed.cuts;
  const sizesOf = ({ dataflow, wiring }: WiredCut): SliceSize[] => sliceSizes(dataflow, wiring, bytes, costs);
  const sizes = sizesOf(cut);
  const whole = sizesOf(bestCut(analyzed.dataflow, analyzed.cuts, counted(1, 1)));
  const { slices } = plannedRuns(analyzed, cut);
  const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
  const times = sizes.map((size) => busyMs(size, costs.model()));
  return {
    work: Math.max(...seconds) / sum(seconds),
    time: (Math.max(...times) * sizes.length) / sum(times),
    peak: Math.max(...sizes.map(peakBytes)) / peakBytes(whole[0]),
    memoryMb: Math.max(...sizes.map(memoryMb)),
    movedBytes: sum(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
    dollars: costOf(slices.outcomes, slices.model.coldShare, 'mixed').dollars,
  };
}

function change(before: Shape, after: Shape, figure: (shape: Shape) => number): string {
  return `${figure(before).toFixed(0)} -> ${figure(after).toFixed(0)}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
