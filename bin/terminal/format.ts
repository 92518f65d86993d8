/** How the command line shows sizes, types and tables. */
import bytes from 'bytes';
import Table from 'cli-table3';
import type { Dimension } from '../../contract/tensors';

/** `12.3MB`, with MB = 2^20 bytes. */
export function formatBytes(size: number): string {
  return bytes.format(size, { decimalPlaces: 1 }) ?? String(size);
}

/** `float32[1,3,?]`. */
export function formatType(type: {
  readonly dtype?: string;
  readonly shape: readonly Dimension[] | null;
}): string {
  const dims = type.shape === null ? '...' : type.shape.map((dimension) => dimension ?? '?').join(',');
  return `${type.dtype ?? 'not a tensor'}[${dims}]`;
}

/** A plain table without lines, numbers to the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      ...none,
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
    colAligns: head.map((_, column) => (rows.every((row) => isNumeric(row[column])) ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => row.map(String)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function isNumeric(cell: string | number): boolean {
  return typeof cell === 'number' || /^[\d.,]+(B|KB|MB|GB|TB)?$/.test(cell);
}
