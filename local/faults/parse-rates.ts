/** Reads rates of faults as people write them: `all:0.02` or `s3-503:0.1,flipped-bit:0.01`. */
import { LocalCloudError } from '../local-cloud-error';
import type { Faults } from './injector';
import { FAULT_KINDS, isFaultKind } from './kinds';

const ALL = 'all';

/** A later entry replaces an earlier one. @throws LocalCloudError for an unknown kind or a rate that is no probability */
export function parseFaultRates(text: string): Faults['rates'] {
  const entries = text.split(',').flatMap((entry) => {
    const parts = entry.split(':').map((part) => part.trim());
    const [name, rateText] = parts;
    if (parts.length !== 2) {
      throw new LocalCloudError(
        `a fault must be written as kind:rate, got '${entry.trim()}': write it like s3-503:0.1`,
      );
    }
    const rate = /^(\d+\.?\d*|\.\d+)$/.test(rateText) ? Number(rateText) : NaN;
    if (!(rate <= 1)) {
      throw new LocalCloudError(
        `the rate of '${name}' must be a number from 0 to 1, got '${rateText}': write it like ${name}:0.1`,
      );
    }
    return kindsNamed(name).map((kind) => [kind, rate] as const);
  });
  return Object.fromEntries(entries);
}

function kindsNamed(name: string) {
  if (name === ALL) return FAULT_KINDS;
  if (isFaultKind(name)) return [name];
  throw new LocalCloudError(
    `the local cloud must know the kind of a fault, got '${name}': the kinds are ${[ALL, ...FAULT_KINDS].join(', ')}`,
  );
}
