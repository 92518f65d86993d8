/** Reads rates of faults as people write them: `all:0.02` or `s3-503:0.1,flipped-bit:0.01`. */
import { distance } from 'fastest-levenshtein';
import { LocalCloudError } from '../local-cloud-error';
import type { Faults } from './injector';
import { FAULT_KINDS, isFaultKind } from './kinds';

/** Stands for every kind. */
const ALL = 'all';

/** The nearest name is suggested only if at most so many letters, and at most this share of the typed letters, differ. */
const MAX_DISTANCE = 4;
const MAX_SHARE = 1 / 2;

/** A later entry replaces an earlier one. @throws LocalCloudError for an unknown kind or a rate that is no probability */
export function parseFaultRates(text: string): Faults['rates'] {
  const entries = text.split(',').map((entry) => entry.trim());
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const parts = entry.split(':').map((part) => part.trim());
      if (parts.length !== 2) {
        throw new LocalCloudError(
          `a fault must be written as kind:rate, got '${entry}': write it like s3-503:0.1`,
        );
      }
      const [name, rateText] = parts;
      const rate = readRate(name, rateText);
      return kindsNamed(name).map((kind) => [kind, rate]);
    }),
  );
}

function kindsNamed(name: string) {
  if (name === ALL) return FAULT_KINDS;
  if (isFaultKind(name)) return [name];
  const nearest = [ALL, ...FAULT_KINDS].sort((a, b) => distance(a, name) - distance(b, name))[0];
  const advice =
    distance(nearest, name) <= Math.min(MAX_DISTANCE, name.length * MAX_SHARE)
      ? `did you mean '${nearest}'?`
      : `the kinds are ${[ALL, ...FAULT_KINDS].join(', ')}`;
  throw new LocalCloudError(`the local cloud must know the kind of a fault, got '${name}': ${advice}`);
}

function readRate(name: string, text: string): number {
  const rate = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (rate <= 1) return rate;
  throw new LocalCloudError(
    `the rate of '${name}' must be a number from 0 to 1, got '${text}': write it like ${name}:0.1`,
  );
}
