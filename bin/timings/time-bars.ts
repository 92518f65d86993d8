/** Draws the calls of a run on one axis of time, as wide as the terminal: a line for each slice, with its figures. */
import type { CallTiming } from '../../contract/execution';
import { largestOf, smallestOf } from '../../lib/extremes';
import { NONE, quantityText } from '../plan/figures';
import { formatTable } from '../terminal/format';
import { helpWidth } from '../terminal/help';

const LEAST_COLUMNS = 60;
const LEAST_BAR = 12;
const GAP = '  ';
const MEGABYTE = 2 ** 20;

const MARKS = { load: '░', read: '─', run: '█', write: '═' } as const;

interface Stretch {
  readonly mark: string;
  readonly from: number;
  readonly to: number;
}

interface Axis {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly ms: number;
}

/** A head with the length of the axis, a line for each slice, and a legend. */
export function timeBars(timings: readonly CallTiming[]): string {
  const table = formatTable(
    ['slice', 'load', 'read', 'run', 'write', 'peak MB'],
    timings.map((timing) => [
      String(timing.slice ?? 'whole'),
      timing.cold ? timing.loadMs.toFixed(0) : NONE,
      ...[timing.readMs, timing.runMs, timing.writeMs].map((ms) => ms.toFixed(0)),
      (timing.peakMemoryBytes / MEGABYTE).toFixed(0),
    ]),
  ).split('\n');
  const figures = largestOf(table.map((line) => line.length));
  const width = Math.max(LEAST_BAR, Math.max(LEAST_COLUMNS, helpWidth()) - figures - GAP.length);
  const axis = axisOf(timings);
  const scale = `0${quantityText('milliseconds', Math.round(axis.ms)).padStart(width - 1)}`;
  const bars = [scale, ...timings.map((timing) => bar(stretchesOf(timing, timings), axis, width))];
  return [
    ...table.map((line, index) => `${line.padEnd(figures)}${GAP}${bars[index]}`.trimEnd()),
    legend(timings),
  ].join('\n');
}

/** From the first start of a function to the last end of one. */
export function axisOf(timings: readonly CallTiming[]): Axis {
  const stretches = timings.flatMap((timing) => stretchesOf(timing, timings));
  const from = smallestOf(stretches.map((stretch) => stretch.from));
  return { from, ms: Math.max(1, largestOf(stretches.map(({ to }) => to)) - from) };
}

/** A warm-up starts with the run. Its own start is not measured. */
function stretchesOf(timing: CallTiming, all: readonly CallTiming[]): Stretch[] {
  const { startedAt, warmedUp, loadMs, readMs, runMs, writeMs } = timing;
  const runStart = smallestOf(all.map((other) => other.startedAt));
  const loadFrom = warmedUp ? Math.min(runStart, startedAt - loadMs) : startedAt;
  const readFrom = warmedUp ? startedAt : startedAt + loadMs;
  const runFrom = readFrom + readMs;
  const writeFrom = runFrom + runMs;
  return [
    { mark: MARKS.load, from: loadFrom, to: loadFrom + loadMs },
    { mark: MARKS.read, from: readFrom, to: runFrom },
    { mark: MARKS.run, from: runFrom, to: writeFrom },
    { mark: MARKS.write, from: writeFrom, to: writeFrom + writeMs },
  ];
}

/** Each column shows what took most of its time. */
function bar(stretches: readonly Stretch[], { from, ms }: Axis, width: number): string {
  return Array.from({ length: width }, (_, column) => {
    const [start, end] = [from + (column * ms) / width, from + ((column + 1) * ms) / width];
    let [most, mark] = [0, ' '];
    for (const stretch of stretches) {
      const shared = Math.min(end, stretch.to) - Math.max(start, stretch.from);
      if (shared > most) [most, mark] = [shared, stretch.mark];
    }
    return mark;
  }).join('');
}

function legend(timings: readonly CallTiming[]): string {
  const marks = Object.entries(MARKS).map(([name, mark]) => `${mark} ${name}`);
  const notes = [
    ...(timings.some(({ warmedUp }) => warmedUp) ? ['warm-ups load beside the first slice'] : []),
    ...(timings.some(({ cold }) => !cold) ? [`${NONE} was loaded before`] : []),
  ];
  return [`${marks.join(GAP)}  (ms)`, ...notes].join('; ');
}
