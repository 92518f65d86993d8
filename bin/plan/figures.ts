/** Writes numbers of the report for people: with a unit, thousands separators and no more digits than an estimate deserves. */
import type { Requests, Temperature } from './plan-report';

/** A number of the report, or a text. */
export type Figure = string | Quantity;

export interface Quantity {
  readonly kind: QuantityKind;
  readonly value: number;
}

export type QuantityKind = keyof typeof FORMATS;

const FORMATS = {
  count: (value: number) => grouped(value, 0),
  /** Requests per hour, which may be less than one. */
  rate: (value: number) => threeDigits(value),
  bytes: (value: number) => withUnit(value, BYTE_UNITS),
  megabytes: (value: number) => `${grouped(value, 0)} MB`,
  milliseconds: (value: number) => withUnit(value, TIME_UNITS),
  seconds: (value: number) => withUnit(value * 1_000, TIME_UNITS),
  dollars,
};

export interface Unit {
  readonly name: string;
  /** Number of base units in it. */
  readonly size: number;
}

/** The largest first. MB are 2^20 bytes, as everywhere in this project. */
export const BYTE_UNITS: readonly Unit[] = [
  { name: 'GB', size: 2 ** 30 },
  { name: 'MB', size: 2 ** 20 },
  { name: 'KB', size: 2 ** 10 },
  { name: 'B', size: 1 },
];

/** Units of milliseconds. */
export const TIME_UNITS: readonly Unit[] = [
  { name: 's', size: 1_000 },
  { name: 'ms', size: 1 },
  { name: 'µs', size: 0.001 },
];

export function quantity(kind: QuantityKind, value: number): Quantity {
  return { kind, value };
}

/** A share as a percentage of three digits. */
export function percentText(share: number): string {
  const percent = 100 * share;
  if (percent > 0 && percent < 0.1) return 'less than 0.1 %';
  return `${percent.toLocaleString('en-US', { maximumSignificantDigits: 3 })} %`;
}

/** Such as `at 10 requests an hour (assumed), 36.8 % of them cold`. */
export function requestsText({ perHour, isAssumed, temperature, coldShare }: Requests): string {
  const rate = quantityText('rate', perHour);
  const runs =
    temperature === 'mixed' ? `${percentText(coldShare)} of them cold` : `all of them ${temperature}`;
  const noun = perHour === 1 ? 'request' : 'requests';
  return `at ${rate} ${noun} an hour${isAssumed ? ' (assumed)' : ''}, ${runs}`;
}

export const TEMPERATURES: readonly Temperature[] = ['warm', 'mixed', 'cold'];

/** Costs that no service's price has. */
export const NOT_PRICED =
  'No price includes a VPC (NAT gateways, interface endpoints), logs, traces, metrics, alarms or free tiers.';

/** Stands for a number that the report does not have. */
export const NONE = '–';

/** A quantity, or `NONE`. */
export function maybe(kind: QuantityKind, value: number | null | undefined): Figure {
  return value === null || value === undefined ? NONE : { kind, value };
}

export function figureText(figure: Figure): string {
  return typeof figure === 'string' ? visible(figure) : FORMATS[figure.kind](figure.value);
}

/** A quantity in words, or `NONE`. */
export function quantityText(kind: QuantityKind, value: number | null | undefined): string {
  return figureText(maybe(kind, value));
}

/** The largest unit in which `value` is 1 or more, or else the smallest one. */
export function unitFor(value: number, units: readonly Unit[]): Unit {
  return units.find(({ size }) => value >= size) ?? units[units.length - 1];
}

/** A number with separators between thousands and at most `digits` digits after the point. */
export function grouped(value: number, digits: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Names come from models: shows characters that are invisible or turn the direction of text. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

function withUnit(value: number, units: readonly Unit[]): string {
  const smallest = units[units.length - 1];
  const unit = value === 0 ? (units.find(({ size }) => size === 1) ?? smallest) : unitFor(value, units);
  return `${threeDigits(value / unit.size)} ${unit.name}`;
}

function dollars(value: number): string {
  if (value === 0) return '$0';
  if (value >= 100) return `$${grouped(value, 0)}`;
  if (value < 0.01) return `$${value.toLocaleString('en-US', { maximumSignificantDigits: 3 })}`;
  const maximumFractionDigits = value >= 1 ? 2 : 3;
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits })}`;
}

/** Three significant digits, but all digits before the point. */
function threeDigits(value: number): string {
  return value >= 100 ? grouped(value, 0) : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
