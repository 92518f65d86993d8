/** Times and sizes as users write them in flags. */
import bytes from 'bytes';
import { InvalidArgumentError } from 'commander';

/** By unit: its milliseconds. */
const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
]);

/** Milliseconds of a text such as `2s`, `500ms` or `1.5 min`. */
export function milliseconds(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text) ?? [];
  // 1.1 * 1000 is 1100.0000000000002.
  const time = Number((Number(number) * (DURATION_UNITS.get(unit.toLowerCase()) ?? 0)).toPrecision(15));
  if (time > 0 && Number.isFinite(time)) return time;
  throw new InvalidArgumentError('It must be a time with a unit such as 10m, 2s or 500ms.');
}

/** Bytes of a text such as `64MB` or `1.5 GiB`, with MB = 2^20 bytes; 0 for another text. */
export function bytesIn(text: string): number {
  const [, number = '0', prefix = ''] = /^(\d+(?:\.\d+)?) ?(?:([kmgt])(?:i?b)?|b)$/i.exec(text) ?? [];
  return bytes.parse(`${number}${prefix}B`) ?? 0;
}

export function size(text: string): number {
  const parsed = bytesIn(text);
  if (parsed > 0) return parsed;
  throw new InvalidArgumentError('It must be a size above 0 with a unit such as 64MB.');
}
