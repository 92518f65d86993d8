/** What a report says of the plan and the other services: prices, times, and what each breaks. */
import type {
  AlternativeRun,
  Alternative as ComparedAlternative,
} from '../../../lib/cost/alternatives/alternative';
import type { Comparison } from '../../../lib/cost/alternatives/compare';
import type { Alternative, PlanReport, ServiceRun } from '../plan-report';

export function reportedAlternatives({ requests, alternatives, verdict }: Comparison): Pick<
  PlanReport,
  'requests' | 'alternatives' | 'cheapest'
> & {
  readonly sentences: readonly string[];
} {
  return {
    requests,
    alternatives: alternatives.map((own) => reportedAlternative(own, requests.perHour)),
    sentences: verdict.sentences.map(sentence),
    ...(verdict.cheapest !== undefined && { cheapest: sentence(verdict.cheapest) }),
  };
}

function reportedAlternative(own: ComparedAlternative, requestsPerHour: number): Alternative {
  const offer = own.at(requestsPerHour);
  const isFeasible = offer.breaks.length === 0;
  return {
    service: capitalized(own.name),
    size: offer.size,
    isFeasible,
    breaks: offer.breaks.map(sentence),
    notes: own.notes.map(sentence),
    ...(isFeasible && {
      dollarsPerMonth: offer.dollarsPerMonth,
      warm: reportedServiceRun(offer.warm),
      cold: reportedServiceRun(offer.cold),
    }),
  };
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
