/** Chooses among the sizes of an alternative: the best one may differ from rate to rate. */
import { coldShare } from '../formulas/lambda';
import type { Alternative, AlternativeName, AlternativeSetting, AlternativeSize } from './alternative';
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
      possible.filter((size) => limits.count(size, rate, share) === 0),
      (size) => size.dollarsPerMonth(rate, share),
    );
  };
  /** Of the sizes that break the fewest limits: the cheapest that is fast enough, or else the fastest. */
  const nearest = (rate: number, share: number): AlternativeSize => {
    const broken = (size: AlternativeSize): number => size.breaks.length + limits.count(size, rate, share);
    const fewest = Math.min(...sizes.map(broken));
    const near = sizes.filter((size) => broken(size) === fewest);
    return (
      least(
        near.filter((size) => limits.keepsLatency(size, share)),
        (size) => size.dollarsPerMonth(rate, share),
      ) ??
      least(near, ({ warm }) => warm.time.quantile(0.95)) ??
      sizes[0]
    );
  };
  return {
    ...name,
    dollarsPerMonth: (rate) =>
      best(rate)?.dollarsPerMonth(rate, comparedColdShare(setting, rate)) ?? Infinity,
    at: (rate) => {
      const share = comparedColdShare(setting, rate);
      const size = best(rate) ?? nearest(rate, share);
      return {
        size: size.nameAt(rate),
        breaks: [...size.breaks, ...limits.of(size, rate, share)],
        warm: size.warm,
        cold: size.cold,
        dollarsPerMonth: size.dollarsPerMonth(rate, share),
      };
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
