/** What a report says of the plan and the other services: prices, times, and what each breaks. */
import type {
  AlternativeRun,
  Alternative as ComparedAlternative,
  Offer,
} from '../../../lib/cost/alternatives/alternative';
import type { Comparison } from '../../../lib/cost/alternatives/compare';
import type { Verdict } from '../../../lib/cost/alternatives/verdict';
import type { End } from '../../../lib/cost/constants/ends';
import type { Alternative, PlanReport, ServiceRun } from '../plan-report';

/** @param ends the same comparison where runs are fastest, and slowest */
export function reportedAlternatives(
  { requests, alternatives, verdict }: Comparison,
  ends: Readonly<Record<End, Comparison>>,
): Pick<PlanReport, 'requests' | 'alternatives' | 'cheapest' | 'choice'> & {
  readonly sentences: readonly string[];
} {
  const { perHour } = requests;
  return {
    requests,
    alternatives: alternatives.map((own) => {
      const offer = own.at(perHour);
      const offerAt = (end: End): Offer =>
        (ends[end].alternatives.find(({ id }) => id === own.id) ?? own).at(perHour, offer.index);
      return reportedAlternative(own, offer, { fast: offerAt('fast'), slow: offerAt('slow') });
    }),
    sentences: [...verdict.sentences.map(sentence), ...otherChoices(verdict, ends)],
    ...(verdict.choice && { choice: verdict.choice }),
    ...(verdict.cheapest !== undefined && { cheapest: sentence(verdict.cheapest) }),
  };
}

/** Where the verdict is another one. */
function otherChoices({ choice }: Verdict, ends: Readonly<Record<End, Comparison>>): string[] {
  return (['fast', 'slow'] as const)
    .filter((end) => ends[end].verdict.choice !== choice)
    .map((end) => `At the ${end} end of all times, it is the other way: ${ends[end].verdict.sentences[0]}.`);
}

function reportedAlternative(
  own: ComparedAlternative,
  offer: Offer,
  ends: Readonly<Record<End, Offer>>,
): Alternative {
  const isFeasible = offer.breaks.length === 0;
  return {
    id: own.id,
    service: capitalized(own.name),
    ...(offer.memoryMb !== undefined && { memoryMb: offer.memoryMb }),
    size: offer.size,
    isFeasible,
    breaks: offer.breaks.map(sentence),
    ...(own.guess !== undefined && { guess: sentence(own.guess) }),
    notes: own.notes.map(sentence),
    ...(isFeasible && {
      dollarsPerMonth: offer.dollarsPerMonth,
      dollarsPerMonthEnds: { fast: ends.fast.dollarsPerMonth, slow: ends.slow.dollarsPerMonth },
      warm: withEnds(offer.warm, ends.fast.warm, ends.slow.warm),
      cold: withEnds(offer.cold, ends.fast.cold, ends.slow.cold),
    }),
  };
}

function withEnds(run: AlternativeRun, fast: AlternativeRun, slow: AlternativeRun): ServiceRun {
  const ends = { fast: reportedServiceRun(fast), slow: reportedServiceRun(slow) };
  return { ...reportedServiceRun(run), ends };
}

function reportedServiceRun({ dollars, time }: AlternativeRun): ServiceRun {
  return {
    ...(dollars !== undefined && { dollarsPerMillion: dollars * 1e6 }),
    p50: time.quantile(0.5),
    p95: time.quantile(0.95),
  };
}

/** A sentence of the model of cost has neither a capital letter nor a full stop. */
export function sentence(text: string): string {
  return `${capitalized(text)}.`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
