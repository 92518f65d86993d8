/** Assembles the report of a plan from the analyzed model, its cut and its slices. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { wholeModel } from '../../../lib/compile/plan-estimates';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import { storagePerMonth } from '../../../lib/cost/formulas/s3';
import type { ChosenCut } from '../../../lib/plan/choose/cut-prices';
import { findCuts } from '../../../lib/plan/cuts/cuts';
import type { PlanDraft } from '../../../lib/plan/file/plan';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { wireSlices } from '../../../lib/plan/wiring/wiring';
import { graphProfile } from '../graph-profile';
import type { PlanReport, ReportedConsolidation, ReportedSlice } from '../plan-report';
import { assumptionsOf } from './assumptions';
import { burstNotes } from './burst-note';
import { lineItems, reportedRuns, runCost } from './priced-plan';
import type { ReportRequest } from './report-request';
import { reportedAlternatives } from './reported-alternatives';
import { reportedConsolidation } from './reported-consolidation';
import { evennessSentence, reportedEvenness } from './reported-evenness';
import { reportedFront } from './reported-front';
import { reportedCuts, reportedModel, reportedSlices } from './reported-slices';
import { runTimeline } from './run-timeline';
import { warningsOf } from './warnings';

/** All costs and times come from the model of cost of `analyzed`. */
export function assembleReport(
  analyzed: AnalyzedModel,
  cut: ChosenCut,
  plan: PlanDraft,
  request: ReportRequest,
): PlanReport {
  const { costs } = analyzed.cuts;
  const { goal } = request;
  const runs = plannedRuns(analyzed, cut, goal);
  const { slices: priced, settings } = runs;
  const { model } = priced;
  const sizes = sliceSizes(cut.dataflow, cut.wiring, analyzed.cuts.bytes, costs);
  const slices = reportedSlices(cut, plan, sizes, priced.steps);
  const fileBytes = slices.reduce((sum, slice) => sum + slice.fileBytes, 0);
  const { rule, bytes } = analyzed.cuts;
  const cuts = findCuts({ ...cut.dataflow, order: cut.groups.flat() }, rule, bytes, costs);
  const ofModel = reportedModel(analyzed, wholeSize(analyzed));
  const starts = slices.slice(1).map(({ first }) => first);
  const own = { ...settings, cost: runCost(priced, goal.temperature), cuts: starts };
  const { coldShare } = model;
  const whole =
    cut.whole && runs.consolidated && reportedConsolidation(cut.whole, runs.consolidated, coldShare);
  const storedFor = (bytes: number): number => storagePerMonth(bytes, model.options.prices);
  const services = reportedAlternatives(
    model,
    wholeModel(analyzed),
    { ...runs.plan, fileBytes: fileBytes + (whole?.fileBytes ?? 0) },
    request,
  );
  const evenness = reportedEvenness(analyzed, cut, sizes, priced, goal);
  return {
    model: ofModel,
    slices,
    profile: graphProfile({ cuts, starts, work: costs.work }),
    cuts: reportedCuts(analyzed, cuts, slices),
    run: reportedRuns(priced),
    ...(whole && { consolidation: whole }),
    coldShare,
    costPerMillion: lineItems(priced),
    costPerMonth: [
      { item: 'S3 storage of the slices', dollars: storedFor(fileBytes) },
      ...(whole ? [{ item: 'S3 storage of the whole model', dollars: storedFor(whole.fileBytes) }] : []),
    ],
    front: reportedFront(analyzed, model, own, request),
    requests: services.requests,
    alternatives: services.alternatives,
    cheapest: services.cheapest,
    verdict: withSentences(services.sentences, [
      planSentence(slices),
      ...(evenness ? [evennessSentence(evenness, slices.length)] : []),
      ...burstNotes(model, slices),
      ...wholeSentences(whole),
    ]),
    timelines: { warm: runTimeline(priced, 'warm'), cold: runTimeline(priced, 'cold') },
    ...(cut.quality && { search: cut.quality }),
    ...(evenness && { evenness }),
    assumptions: assumptionsOf(model, ofModel, request),
    warnings: warningsOf(analyzed, cut, sizes, request),
  };
}

/** The size of one slice that runs everything. */
function wholeSize({ dataflow, cuts: { bytes, costs } }: AnalyzedModel): SliceSize {
  const wiring = wireSlices(dataflow, [dataflow.order]);
  const [size] = sliceSizes(dataflow, wiring, bytes, costs);
  return size;
}

/** The most important sentence of the services comes first. */
function withSentences([first, ...rest]: readonly string[], ofPlan: readonly string[]): string[] {
  return [first, ...ofPlan, ...rest];
}

function wholeSentences(whole: ReportedConsolidation | undefined): string[] {
  if (whole === undefined) return [];
  const memory = whole.memoryMb.toLocaleString('en-US');
  return [
    `With consolidation, a function of ${memory} MB with the whole model serves the runs that find it warm.`,
  ];
}

function planSentence(slices: readonly ReportedSlice[]): string {
  const largest = slices.reduce((most, { memoryMb: mb }) => Math.max(most, mb), 0).toLocaleString('en-US');
  return slices.length === 1
    ? `This plan runs the whole model in one slice, with a function of ${largest} MB.`
    : `This plan runs the model in ${slices.length} slices, of which the largest has a function of ${largest} MB.`;
}
