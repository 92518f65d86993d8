/** Compares a plan with other services: prices, what each breaks, and the verdict. */
import {
  type AlternativeRun,
  type Alternative as ComparedAlternative,
  type Targets,
  type WholeModel,
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
