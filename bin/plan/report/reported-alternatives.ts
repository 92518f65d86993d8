/** Compares a plan with other services: prices by request rate, what each breaks, and the verdict. */
import {
  type AlternativeRun,
  type Alternative as ComparedAlternative,
  type Targets,
  type WholeModel,
  GREATEST_RATE,
  LEAST_RATE,
  comparedColdShare,
} from '../../../lib/cost/alternatives/alternative';
import {
  type Comparison,
  type SlicedPlan,
  compareAlternatives,
} from '../../../lib/cost/alternatives/compare';
import type { DetailedCostModel } from '../../../lib/cost/model';
import type { Alternative, PlanReport, ServiceRun } from '../plan-report';
import { type ReportRequest, isRateGiven } from './report-request';

/** Rates at which prices are listed: 1, 2 and 5 of each power of ten. */
const SAMPLED_RATES: readonly number[] = sampledRates();

export function reportedAlternatives(
  model: DetailedCostModel,
  whole: WholeModel,
  plan: SlicedPlan,
  request: ReportRequest,
): Pick<PlanReport, 'requests' | 'alternatives'> & { readonly sentences: readonly string[] } {
  const { requestsPerHour } = model.options;
  const { temperature } = request.goal;
  const { alternatives, verdict } = comparison(model, whole, plan, request);
  return {
    requests: {
      perHour: requestsPerHour,
      isAssumed: !isRateGiven(request),
      temperature,
      coldShare: comparedColdShare({ temperature, options: model.options }, requestsPerHour),
    },
    alternatives: alternatives.map((own) => reportedAlternative(own, requestsPerHour)),
    sentences: verdict.sentences.map(sentence),
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
    monthly: SAMPLED_RATES.flatMap((rate) => {
      const { size, breaks, dollarsPerMonth } = own.at(rate);
      return breaks.length > 0 ? [] : [{ requestsPerHour: rate, size, dollars: dollarsPerMonth }];
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

function comparison(
  model: DetailedCostModel,
  whole: WholeModel,
  plan: SlicedPlan,
  request: ReportRequest,
): Comparison {
  const { goal, maxMemoryMb } = request;
  const { maxLatencyMs, quantile, maxDollars, temperature } = goal;
  const targets: Targets = {
    ...{ maxLatencyMs, quantile, maxMemoryMb },
    ...(maxDollars !== undefined && { maxDollarsPerMillion: maxDollars * 1e6 }),
  };
  const isRateAssumed = !isRateGiven(request);
  return compareAlternatives(whole, plan, { ...model.options, isRateAssumed, temperature, targets });
}

/** A sentence of the model of cost has neither a capital letter nor a full stop. */
export function sentence(text: string): string {
  return `${capitalized(text)}.`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sampledRates(): number[] {
  const decades = Math.round(Math.log10(GREATEST_RATE / LEAST_RATE));
  const rates = Array.from({ length: decades }, (_, decade) => decade).flatMap((decade) =>
    [1, 2, 5].map((factor) => Number(`${factor}e${Math.round(Math.log10(LEAST_RATE)) + decade}`)),
  );
  return [...rates, GREATEST_RATE];
}
