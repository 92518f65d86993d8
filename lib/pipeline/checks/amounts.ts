/** Reads amounts such as 64, '64' or '64 MB', which callers pass in place of a `Size` or a `Duration`. */
import { Token } from 'aws-cdk-lib';

/** By factory method of `Size`: how callers write its unit. Lambda's MB and GB are 2 ** 20 and 2 ** 30 bytes. */
const SIZE_UNITS: Readonly<Record<string, RegExp>> = {
  bytes: /^b(ytes?)?$/i,
  kibibytes: /^(ki?b?|kilobytes?|kibibytes?)$/i,
  mebibytes: /^(mi?b?|megabytes?|mebibytes?)$/i,
  gibibytes: /^(gi?b?|gigabytes?|gibibytes?)$/i,
  tebibytes: /^(ti?b?|terabytes?|tebibytes?)$/i,
};

/** By factory method of `Duration`: how callers write its unit. */
const DURATION_UNITS: Readonly<Record<string, RegExp>> = {
  millis: /^(ms|millis|milliseconds?)$/i,
  seconds: /^(s|secs?|seconds?)$/i,
  minutes: /^(m|mins?|minutes?)$/i,
  hours: /^(h|hrs?|hours?)$/i,
  days: /^(d|days?)$/i,
};

/** Returns the call of a factory method of `Size` for the value, such as `mebibytes(64)`. A number has MiB. */
export function sizeCall(value: unknown): string | undefined {
  return callOf(value, SIZE_UNITS, 'mebibytes');
}

/** Returns the call of a factory method of `Duration` for the value, such as `seconds(30)`. */
export function durationCall(value: unknown, unit: 'seconds' | 'minutes' | 'days'): string | undefined {
  return callOf(value, DURATION_UNITS, unit);
}

const AMOUNT = /^\s*(?<number>\d+(?:\.\d+)?)\s*(?<unit>[a-z]*)\s*$/i;

function callOf(
  value: unknown,
  units: Readonly<Record<string, RegExp>>,
  unitOfNumbers: string,
): string | undefined {
  if (!['string', 'number', 'bigint'].includes(typeof value) || Token.isUnresolved(value)) return undefined;
  const { number, unit } = AMOUNT.exec(String(value))?.groups ?? {};
  const amount = Number(number);
  if (Number.isNaN(amount) || amount === 0) return undefined;
  const factory = unit === '' ? unitOfNumbers : Object.keys(units).find((name) => units[name].test(unit));
  return factory === undefined ? undefined : `${factory}(${amount})`;
}
