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
  const time = Number(number) * (DURATION_UNITS.get(unit.toLowerCase()) ?? 0);
  if (time > 0 && Number.isFinite(time)) return time;
  throw new InvalidArgumentError('It must be a time with a unit such as 10m, 2s or 500ms.');
}

/** Bytes of a text such as `64MB` or `1.5 GiB`, with MB = 2^20 bytes. */
export function size(text: string): number {
  const [, number = '', prefix = ''] = /^(\d+(?:\.\d+)?) ?(?:([kmgt])(?:i?b)?|b)$/i.exec(text) ?? [];
  const parsed = bytes.parse(`${number}${prefix}B`);
  if (parsed !== null && parsed > 0) return parsed;
  throw new InvalidArgumentError('It must be a size above 0 with a unit such as 64MB.');
}
