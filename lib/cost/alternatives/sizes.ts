/** Chooses among the sizes of an alternative: the best one may differ from rate to rate. */
import { coldShare } from '../formulas/lambda';
import type {
  Alternative,
  AlternativeName,
  AlternativeSetting,
  AlternativeSize,
  Offer,
} from './alternative';
import { MissedTargets } from './missed-targets';

/** @param sizes one or more; of equally good ones, the first is chosen */
export function alternativeOf(
  setting: AlternativeSetting,
  name: AlternativeName,
  sizes: readonly AlternativeSize[],
): Alternative {
  const limits = new MissedTargets(setting.targets, setting.temperature);
  const possible = sizes.filter(({ breaks }) => breaks.length === 0);
  const best = (rate: number): AlternativeSize | undefined => {
    const share = comparedColdShare(setting, rate);
    return least(
      possible.filter((size) => limits.areKept(size, rate, share)),
      (size) => size.dollarsPerMonth(rate, share),
    );
  };
  return {
    ...name,
    dollarsPerMonth: (rate) =>
      best(rate)?.dollarsPerMonth(rate, comparedColdShare(setting, rate)) ?? Infinity,
    at: (rate) => {
      const share = comparedColdShare(setting, rate);
      const offers = [best(rate) ?? sizes].flat().map((size): Offer => ({
        size: size.nameAt(rate),
        breaks: [...size.breaks, ...limits.of(size, rate, share)],
        warm: size.warm,
        cold: size.cold,
        dollarsPerMonth: size.dollarsPerMonth(rate, share),
      }));
      const fewest = offers.reduce((most, { breaks }) => Math.min(most, breaks.length), Infinity);
      const nearest = offers.filter(({ breaks }) => breaks.length === fewest);
      return least(nearest, ({ warm }) => warm.time.quantile(0.95)) ?? nearest[0];
    },
  };
}

/** The share of cold runs by which alternatives are compared: those of the goal, or as many as the rate implies. */
export function comparedColdShare(
  { temperature, options }: Pick<AlternativeSetting, 'temperature' | 'options'>,
  rate: number,
): number {
  switch (temperature) {
    case 'warm':
      return 0;
    case 'cold':
      return 1;
    case 'mixed':
      return coldShare(rate, options.environment);
  }
}

function least<T>(all: readonly T[], of: (one: T) => number): T | undefined {
  let found: T | undefined;
  let smallest = Infinity;
  for (const one of all) {
    const value = of(one);
    if (found === undefined || value < smallest) [found, smallest] = [one, value];
  }
  return found;
}
