/** Assembles the report of a plan from the analyzed model, its cut and its slices. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import {
  type PlanLimits,
  analyzedAt,
  analyzedOn,
  servicesBeside,
  planLimits,
} from '../../../lib/compile/plan-estimates';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import type { PricedPlan, ConsolidationMode } from '../../../lib/plan/pricing/price';
import type { Comparison } from '../../../lib/cost/alternatives/compare';
import type { Temperature } from '../../../lib/cost/chain';
import type { Prices } from '../../../lib/cost/constants/defaults';
import { type RunOutcomes, costOf, itemsOf } from '../../../lib/cost/schedule';
import { type LineItems, ITEM_NAMES, LINE_ITEMS } from '../../../lib/cost/step';
import { storagePerMonth } from '../../../lib/cost/formulas/s3';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import { findCuts } from '../../../lib/plan/cuts/cuts';
import { dataSizesNote } from '../../../lib/plan/notes';
import type { PlanDraft } from '../../../lib/plan/file/plan';
import { fileBytes } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { TEMPERATURES } from '../figures';
import type { Ends, LineItem, PlanReport, ReportedRun } from '../plan-report';
import { assumptionsOf } from './assumptions';
import { type BatchRequest, reportedBatch } from './reported-batch';
import { reportedAlternatives, sentence } from './reported-alternatives';
import { otherArchitecture, reportedArchitectures } from './reported-architectures';
import { reportedCuts, reportedModel, reportedSlices } from './reported-slices';
import { planSentences, warningsOf } from './sentences';
import { compileCut } from '../../../lib/compile/compile';
import type { CompiledModel } from '../../../lib/emit/slice';
import type { BatchRequests } from '../../../lib/plan/pricing/batch-runs';
import type { Slicer } from '../../../lib/plan/slicers';
import type { SlicingOptions } from '../../commands/slicing-options';

/** What a report needs to know of the user's choices, besides the model and its cut. */
export interface ReportRequest extends PlanLimits {
  /** @default - the report says nothing of a batch */
  readonly batch?: BatchRequest;
}

/** All costs and times come from the model of cost of `analyzed`. */
export function assembleReport(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  plan: PlanDraft,
  request: ReportRequest,
): PlanReport {
  const { costs, bytes } = analyzed.cuts;
  const middle = pricedRuns(analyzed, cut, request);
  const [fast, slow] = (['fast', 'slow'] as const).map((end) =>
    pricedRuns(analyzedAt(analyzed, end), cut, request),
  );
  const { runs } = middle;
  const { slices: priced } = runs;
  const { model } = priced;
  const { coldShare } = model;
  const sizes = sliceSizes(cut.dataflow, cut.wiring, bytes, costs);
  const ofModel = reportedModel(analyzed);
  const ends = { fast: fast.runs.slices.steps, slow: slow.runs.slices.steps };
  const slices = reportedSlices(cut, plan, sizes, priced.steps, ends);
  const consolidation = cut.whole && {
    ...{ memoryMb: cut.whole.memoryMb, fileBytes: fileBytes(cut.whole.size) },
    run: reportedRuns(middle.ofPipeline, { fast: fast.ofPipeline, slow: slow.ofPipeline }),
  };
  const { sentences, ...services } = reportedAlternatives(middle.comparison, {
    fast: fast.comparison,
    slow: slow.comparison,
  });
  return {
    model: ofModel,
    slices,
    splits: plan.splits ?? [],
    prepacking: plan.prepacking ?? true,
    ...(plan.int8Weights && { int8Weights: plan.int8Weights }),
    ...(plan.dataSizes && { dataSizes: plan.dataSizes }),
    cuts: cutsBetween(analyzed, cut, slices),
    run: reportedRuns(middle.ofSlices, { fast: fast.ofSlices, slow: slow.ofSlices }),
    ...(consolidation && { consolidation }),
    ...(request.batch && { batch: reportedBatch(analyzed, cut, request.batch) }),
    coldShare,
    costPerMillion: lineItems(priced),
    costPerMonth: storagePrices(runs.plan.fileBytes, consolidation?.fileBytes, model.options.prices),
    ...services,
    processors: onBothArchitectures(middle.comparison, analyzed, cut, request),
    // The most important sentence of the services comes first, unless the plan is a guess.
    verdict: [
      ...(plan.dataSizes?.failure === undefined ? [] : [sentence(dataSizesNote(plan.dataSizes))]),
      sentences[0],
      ...planSentences({ slices, consolidation, splits: plan.splits ?? [], int8Weights: plan.int8Weights }),
      ...sentences.slice(1),
    ],
    ...(cut.quality && { search: cut.quality }),
    assumptions: assumptionsOf(analyzed, model, ofModel, services.requests, request),
    warnings: warningsOf(analyzed, cut, plan, {
      sizes,
      slowestColdMs: slow.runs.plan.cold.time.quantile(0.95),
    }),
  };
}

function onBothArchitectures(
  comparison: Comparison,
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  request: ReportRequest,
): PlanReport['processors'] {
  const { architecture } = analyzed.costs;
  const other = analyzedOn(analyzed, otherArchitecture(architecture));
  return reportedArchitectures(comparison, pricedRuns(other, cut, request).comparison, architecture);
}

function cutsBetween(
  analyzed: AnalyzedModel,
  { dataflow, groups }: ChosenCut,
  slices: PlanReport['slices'],
): PlanReport['cuts'] {
  const { costs, rule, bytes } = analyzed.cuts;
  const cuts = findCuts({ ...dataflow, order: groups.flat() }, rule, bytes, costs);
  return reportedCuts(analyzed, cuts, slices);
}

/** @param all bytes of all files @param whole the part of the whole model, with consolidation */
function storagePrices(all: number, whole: number | undefined, prices: Prices): PlanReport['costPerMonth'] {
  const stored = (what: string, size: number) => ({
    item: `S3 storage of ${what}`,
    dollars: storagePerMonth(size, prices),
  });
  if (whole === undefined) return [stored('the slices', all)];
  return [stored('the slices', all - whole), stored('the whole model', whole)];
}

function pricedRuns(analyzed: AnalyzedModel, cut: ChosenCut, request: ReportRequest) {
  const runs = plannedRuns(analyzed, cut, request.goal);
  const { plan, slices } = runs;
  const { coldShare } = slices.model;
  return {
    runs,
    ofSlices: { outcomes: slices.outcomes, coldShare },
    /** With consolidation, those that the whole model serves too. */
    ofPipeline: { outcomes: plan, coldShare },
    comparison: servicesBeside(analyzed, plan, request),
  };
}

const MILLION = 1e6;

interface RunsAtRate {
  readonly outcomes: RunOutcomes;
  /** Share of mixed runs that find their functions cold. */
  readonly coldShare: number;
}

/** @param ends the same runs where they are fastest, and slowest */
function reportedRuns(runs: RunsAtRate, ends: Ends<RunsAtRate>): PlanReport['run'] {
  const of = ({ outcomes, coldShare }: RunsAtRate, temperature: Temperature): ReportedRun => {
    const { dollars, latency } = costOf(outcomes, coldShare, temperature);
    return { dollarsPerMillion: dollars * MILLION, p50: latency.p50, p95: latency.p95 };
  };
  const at = (temperature: Temperature): ReportedRun => ({
    ...of(runs, temperature),
    ends: { fast: of(ends.fast, temperature), slow: of(ends.slow, temperature) },
  });
  return { warm: at('warm'), mixed: at('mixed'), cold: at('cold') };
}

/** The items of the price of a million runs that are not 0 at every temperature. Their sums are the prices of the runs. */
function lineItems({ model, steps, outcomes }: PricedPlan): LineItem[] {
  const itemsAt = (temperature: Temperature): LineItems =>
    itemsOf(outcomes, steps, model.coldShare, temperature);
  const [warm, mixed, cold] = TEMPERATURES.map(itemsAt);
  return LINE_ITEMS.map((item) => ({
    item: ITEM_NAMES[item],
    warm: warm[item] * MILLION,
    mixed: mixed[item] * MILLION,
    cold: cold[item] * MILLION,
  })).filter((item) => TEMPERATURES.some((temperature) => item[temperature] > 0));
}

export interface PlanOptions extends SlicingOptions {
  readonly consolidation: ConsolidationMode;
  readonly batch?: number;
  readonly itemsPerRun?: number;
  readonly concurrency: number;
  readonly requests: BatchRequests;
  readonly compare?: string;
  readonly report?: string;
  readonly json?: boolean;
}

export function plannedModel(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  slicer: Pick<Slicer, 'goal'>,
  { batch: items, itemsPerRun, concurrency, requests }: PlanOptions,
): { readonly compiled: CompiledModel; readonly report: PlanReport } {
  const compiled = compileCut(analyzed, cut);
  const report = assembleReport(analyzed, cut, compiled.plan, {
    ...planLimits(slicer),
    ...(items !== undefined && { batch: { items, itemsPerRun, concurrency, requests } }),
  });
  return { compiled, report };
}
