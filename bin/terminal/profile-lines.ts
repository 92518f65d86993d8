/** Draws the profile of a graph as a small chart of block characters. */
import { quantityText } from '../plan/figures';
import type { ProfilePoint } from '../plan/plan-report';
import { formatBytes } from './format';

/** Columns that a chart may have at most; a wider one would not show more. */
const MOST_COLUMNS = 64;
const FEWEST_COLUMNS = 12;
/** Columns of other programs' output, when standard output is no terminal. */
const DEFAULT_COLUMNS = 80;
/** Columns for the names, as in the other lines of `inspect`. */
const NAME_WIDTH = 12;
/** Columns for the largest value behind a chart. */
const VALUE_WIDTH = 11;
const ROWS = 2;
const BLOCKS = ' ▁▂▃▄▅▆▇█';

interface Curve {
  readonly name: string;
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}

/**
 * Weights, seconds of computing on one vCPU, and live tensors, over the order of the nodes. Nothing for an empty profile, and nothing if
 * the terminal is too narrow.
 *
 * @param terminalColumns width of the terminal; `undefined` if standard output is none
 */
export function profileLines(
  profile: readonly ProfilePoint[],
  terminalColumns: number | undefined,
): string[] {
  const room = (terminalColumns ?? DEFAULT_COLUMNS) - NAME_WIDTH - VALUE_WIDTH;
  const columns = Math.min(MOST_COLUMNS, room, profile.length);
  if (room < FEWEST_COLUMNS || profile.length < 2) return [];
  return [
    'profile     from the first node to the last, with the largest value of a column',
    ...curvesOf(columnsOf(profile, columns)).flatMap(curveLines),
  ];
}

function columnsOf(profile: readonly ProfilePoint[], columns: number): (readonly ProfilePoint[])[] {
  const start = (column: number): number => Math.floor((column * profile.length) / columns);
  return Array.from({ length: columns }, (_, column) => profile.slice(start(column), start(column + 1)));
}

function curvesOf(columns: readonly (readonly ProfilePoint[])[]): Curve[] {
  const sums = (of: (point: ProfilePoint) => number): number[] =>
    columns.map((points) => points.reduce((sum, point) => sum + of(point), 0));
  return [
    { name: 'weights', values: sums(({ weightBytes }) => weightBytes), format: formatBytes },
    {
      name: 'compute',
      values: sums(({ coreSeconds }) => coreSeconds),
      format: (value: number) => quantityText('seconds', value),
    },
    {
      name: 'tensors',
      values: columns.map((points) => Math.max(...points.map(({ liveBytes }) => liveBytes))),
      format: formatBytes,
    },
  ];
}

/** `ROWS` lines, the last one with the name and the largest value. */
function curveLines({ name, values, format }: Curve): string[] {
  const max = Math.max(...values);
  const steps = BLOCKS.length - 1;
  const heights = values.map((value) => (max === 0 ? 0 : height(value / max, ROWS * steps)));
  return Array.from({ length: ROWS }, (_, row) => {
    const below = (ROWS - 1 - row) * steps;
    const blocks = heights.map((each) => BLOCKS[Math.min(steps, Math.max(0, each - below))]).join('');
    const isLast = row === ROWS - 1;
    const label = `  ${isLast ? name : ''}`.padEnd(NAME_WIDTH);
    return `${label}${blocks}${isLast ? ` ${format(max)}` : ''}`.trimEnd();
  });
}

/** A value above 0 has at least the lowest block. */
function height(share: number, most: number): number {
  return share === 0 ? 0 : Math.max(1, Math.round(share * most));
}
