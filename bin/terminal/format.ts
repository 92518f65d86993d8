import Table from 'cli-table3';
import { escaped } from '../../lib/errors';
import type { Dimension } from '../../contract/tensors';

/** `12.3 MB`, with MB = 2^20 bytes. */
export { inBytes as formatBytes } from '../../lib/cost/alternatives/wording';

/** `float32[1,3,?]`. */
export function formatType(type: {
  readonly dtype?: string;
  readonly shape: readonly Dimension[] | null;
}): string {
  const dims = type.shape === null ? '...' : type.shape.map((dimension) => dimension ?? '?').join(',');
  return `${type.dtype ?? 'not a tensor'}[${dims}]`;
}

/** float32 has about seven. */
const DIGITS = 6;

/** Smaller numbers are shorter with an exponent. */
const SMALL = 1e-3;

/** `0.0123457`, `1.23457e-5`; whole numbers in full. */
export function formatNumber(value: number | bigint): string {
  if (typeof value === 'bigint' || Number.isInteger(value)) return String(value);
  return Math.abs(value) < SMALL
    ? value.toExponential(DIGITS - 1).replace(/\.?0*e/, 'e')
    : String(Number(value.toPrecision(DIGITS)));
}

/** Removes every line of a table. */
const NO_LINES = Object.fromEntries(Object.keys(new Table().options.chars).map((name) => [name, '']));

/** A table without lines. Numbers are aligned to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: NO_LINES,
    colAligns: head.map((_, column) => (rows.every((row) => isNumeric(row[column])) ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => row.map((cell) => escaped(String(cell)))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function isNumeric(cell: string | number): boolean {
  return typeof cell === 'number' || /^(\$?[\d.,]+ ?(B|KB|MB|GB|TB|µs|ms|s)?|–)$/.test(cell);
}
