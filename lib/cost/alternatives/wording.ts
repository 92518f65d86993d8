/** Writes figures for people, with a unit and no more digits than an estimate deserves: alike in sentences and tables. */
import type { Temperature } from '../chain';

/** The requests for which services are compared. */
export interface Requests {
  readonly perHour: number;
  /** Whether no user named the rate. */
  readonly isAssumed: boolean;
  /** The runs whose prices and times are compared. */
  readonly temperature: Temperature;
  /** Share of these runs that is cold, at this rate. */
  readonly coldShare: number;
}

export interface Unit {
  readonly name: string;
  /** Number of base units in it. */
  readonly size: number;
}

/** Units of milliseconds, the largest first. */
const TIME_UNITS: readonly Unit[] = [
  { name: 's', size: 1_000 },
  { name: 'ms', size: 1 },
  { name: 'µs', size: 0.001 },
];

/** The largest first. MB are 2^20 bytes, as everywhere in this project. */
const BYTE_UNITS: readonly Unit[] = [
  { name: 'TB', size: 2 ** 40 },
  { name: 'GB', size: 2 ** 30 },
  { name: 'MB', size: 2 ** 20 },
  { name: 'KB', size: 2 ** 10 },
  { name: 'B', size: 1 },
];

export function inBytes(bytes: number): string {
  return withUnit(bytes, BYTE_UNITS);
}

export function inMs(ms: number): string {
  return withUnit(ms, TIME_UNITS);
}

export function inDollars(value: number): string {
  if (value === 0) return '$0';
  if (value >= 100) return `$${grouped(value)}`;
  if (value < 0.01) return `$${value.toLocaleString('en-US', { maximumSignificantDigits: 3 })}`;
  const maximumFractionDigits = value >= 1 ? 2 : 3;
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits })}`;
}

export function inMb(megabytes: number): string {
  return `${grouped(megabytes)} MB`;
}

export function memoryBreaks(neededMb: number, subject: string, mostMb: number): string[] {
  if (neededMb <= mostMb) return [];
  return [`the model needs ${inMb(neededMb)}, and ${subject} has at most ${inMb(mostMb)}`];
}

/** Such as `at 10 requests an hour (assumed; 36.8 % of the runs cold)`. */
export function atRate({ perHour, isAssumed, temperature, coldShare }: Requests): string {
  const runs =
    temperature === 'mixed' ? `${inPercent(coldShare)} of the runs cold` : `all runs ${temperature}`;
  return `at ${inRate(perHour)} (${isAssumed ? 'assumed; ' : ''}${runs})`;
}

export function inRate(perHour: number): string {
  return `${threeDigits(perHour)} ${perHour === 1 ? 'request' : 'requests'} an hour`;
}

/** A share as a percentage of three digits. */
export function inPercent(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.1) return 'less than 0.1 %';
  return `${percent.toLocaleString('en-US', { maximumSignificantDigits: 3 })} %`;
}

/** A number with separators between thousands and at most `digits` digits after the point. */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Three significant digits, but all digits before the point. */
export function threeDigits(value: number): string {
  return value >= 100 ? grouped(value) : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** The largest unit in which `value` is 1 or more, or else the smallest one. */
function unitFor(value: number, units: readonly Unit[]): Unit {
  return units.find(({ size }) => value >= size) ?? units[units.length - 1];
}

export function withUnit(value: number, units: readonly Unit[]): string {
  const smallest = units[units.length - 1];
  const unit = value === 0 ? (units.find(({ size }) => size === 1) ?? smallest) : unitFor(value, units);
  return `${threeDigits(value / unit.size)} ${unit.name}`;
}
