/** What the recommended service costs and takes on each architecture, with the same cuts and memory. */
import type { Offer } from '../../../lib/cost/alternatives/alternative';
import type { Comparison } from '../../../lib/cost/alternatives/compare';
import type { Architecture } from '../../../lib/cost/formulas/lambda';
import { inDollars, inMs } from '../figures';
import type { PlanReport } from '../plan-report';

export function otherArchitecture(planned: Architecture = 'x86_64'): Architecture {
  return planned === 'x86_64' ? 'arm64' : 'x86_64';
}

/** @param other the same comparison on the other architecture */
export function reportedArchitectures(
  own: Comparison,
  other: Comparison,
  planned: Architecture = 'x86_64',
): PlanReport['processors'] {
  const { choice = 'slices' } = own.verdict;
  const { perHour } = own.requests;
  const offerIn = ({ alternatives }: Comparison, index?: number): Offer | undefined =>
    alternatives.find(({ id }) => id === choice)?.at(perHour, index);
  const here = offerIn(own);
  const there = offerIn(other, here?.index);
  if (here === undefined || there === undefined) throw new Error(`no offer of ${choice}`);
  const of = (architecture: Architecture, { dollarsPerMonth, warm, cold }: Offer) => ({
    ...{ architecture, dollarsPerMonth, warmDollarsPerMillion: (warm.dollars ?? 0) * 1e6 },
    ...{ warmP50: warm.time.quantile(0.5), coldP50: cold.time.quantile(0.5) },
  });
  const both = [of(planned, here), of(otherArchitecture(planned), there)];
  const x86First = both.toSorted((a, b) => b.architecture.localeCompare(a.architecture));
  const byPrice = x86First.toSorted((a, b) => a.dollarsPerMonth - b.dollarsPerMonth);
  const [{ architecture: recommended, warmP50 }, dearer] = byPrice;
  const isAsFast = warmP50 <= dearer.warmP50 || inMs(warmP50) === inMs(dearer.warmP50);
  const figures = byPrice.map(
    (each) => `${each.architecture} ${inDollars(each.warmDollarsPerMillion)} and ${inMs(each.warmP50)}`,
  );
  const speed = isAsFast
    ? `${recommended} is cheaper and no slower`
    : `${recommended} is cheaper, ${dearer.architecture} is faster`;
  const bits = recommended === 'arm64' ? ' if last bits may differ among generations of Graviton' : '';
  const advice = recommended === planned ? '' : `: add --architecture ${recommended}${bits}`;
  return {
    ...{ offers: x86First, recommended },
    sentence: `a million warm runs and their p50, modeled: ${figures.join(', ')}: ${speed}${advice}`,
  };
}
