/** Compares a plan with other services: prices by request rate, what each breaks, and the verdict. */
import type { Targets, WholeModel } from '../../../lib/cost/alternatives/alternative';
import type { Comparison, SlicedPlan } from '../../../lib/cost/alternatives/compare';
import { compareAlternatives } from '../../../lib/cost/alternatives/compare';
import { GREATEST_RATE, LEAST_RATE } from '../../../lib/cost/alternatives/winners';
import type { DetailedCostModel } from '../../../lib/cost/model';
import type { Alternative, PlanReport } from '../plan-report';
import { reportedRun } from './priced-plan';
import type { ReportRequest } from './report-request';

/** Rates at which prices are listed: 1, 2 and 5 of each power of ten. */
const SAMPLED_RATES: readonly number[] = sampledRates();

export function reportedAlternatives(
  model: DetailedCostModel,
  whole: WholeModel,
  plan: SlicedPlan,
  request: ReportRequest,
): Pick<PlanReport, 'alternatives' | 'cheapest'> & { readonly sentences: readonly string[] } {
  const { alternatives, winners, verdict } = comparison(model, whole, plan, request);
  const nameOf = new Map(alternatives.map(({ id, name }) => [id, capitalized(name)]));
  return {
    alternatives: alternatives.map((own): Alternative => {
      const isFeasible = own.breaks.length === 0;
      return {
        service: capitalized(own.name),
        size: own.size,
        isFeasible,
        breaks: own.breaks.map(sentence),
        notes: own.notes.map(sentence),
        ...(isFeasible && { warm: reportedRun(own.warm), cold: reportedRun(own.cold) }),
        monthly: isFeasible
          ? SAMPLED_RATES.map((rate) => ({ requestsPerHour: rate, dollars: own.dollarsPerMonth(rate) }))
          : [],
      };
    }),
    cheapest: winners.map(({ id, fromPerHour, toPerHour }) => ({
      from: fromPerHour,
      to: toPerHour,
      service: nameOf.get(id) ?? id,
    })),
    // What each service breaks is said beside its prices.
    sentences: verdict.sentences.filter(({ kind }) => kind !== 'out').map(({ text }) => sentence(text)),
  };
}

/**
 * A limit on mixed runs binds the temperature that decides about the quantile: with more cold runs than the quantile leaves
 * out, that is the cold one. If this is too strict even for the plan, which keeps the limit, it is the warm one.
 */
function comparison(
  model: DetailedCostModel,
  whole: WholeModel,
  plan: SlicedPlan,
  { goal, maxMemoryMb }: ReportRequest,
): Comparison {
  const { maxLatencyMs, quantile, maxDollars, requestsPerHour, temperature } = goal;
  const compare = (ofRuns: Targets['temperature']): Comparison => {
    const targets: Targets = {
      ...{ maxLatencyMs, quantile, maxMemoryMb, temperature: ofRuns },
      ...(maxDollars !== undefined && { maxDollarsPerMillion: maxDollars * 1e6 }),
    };
    return compareAlternatives(whole, plan, { ...model.options, requestsPerHour, targets });
  };
  if (temperature !== 'mixed') return compare(temperature);
  if (model.coldShare <= { p50: 0.5, p95: 0.05 }[quantile]) return compare('warm');
  const cold = compare('cold');
  const own = cold.alternatives.find(({ id }) => id === 'slices');
  return own !== undefined && own.breaks.length > 0 ? compare('warm') : cold;
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
