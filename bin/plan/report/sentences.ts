/** The sentences of a report on the plan itself, and on what may make its figures differ from runs. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { sizeNotes } from '../../../lib/compile/plan-estimates';
import { vcpuShare } from '../../../lib/cost/formulas/lambda';
import { beyondBurstMs, hostOf } from '../../../lib/cost/formulas/slice-timing';
import type { DetailedCostModel } from '../../../lib/cost/model';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import { formatBytes } from '../../terminal/format';
import { quantityText } from '../figures';
import type { PlanReport, ReportedSlice } from '../plan-report';
import type { ReportRequest } from './report-request';

/** MiB of slices that load within a burst of 300 MiB, with tensors and whatever else a function receives. */
const SAFE_MIB = 256;

/** The shortest wait that is worth a sentence, in milliseconds. */
const NOTICEABLE_MS = 10;

/** Names that a warning lists. */
const NAMED = 3;

export function planSentences(
  model: DetailedCostModel,
  { slices, consolidation }: Pick<PlanReport, 'slices' | 'consolidation'>,
): string[] {
  const largest = slices.reduce((most, { memoryMb: mb }) => Math.max(most, mb), 0).toLocaleString('en-US');
  return [
    slices.length === 1
      ? `This plan runs the whole model in one slice, with a function of ${largest} MB.`
      : `This plan runs the model in ${slices.length} slices, of which the largest has a function of ${largest} MB.`,
    ...burstNotes(model, slices),
    ...(consolidation
      ? [
          `With consolidation, a function of ${consolidation.memoryMb.toLocaleString('en-US')} MB with the whole model serves the runs that find it warm.`,
        ]
      : []),
  ];
}

/**
 * Which slices are larger than the burst of their function's network, and what that costs: one sentence, or none if every slice
 * loads within the burst or the functions are in a VPC.
 */
function burstNotes({ options }: DetailedCostModel, slices: readonly ReportedSlice[]): string[] {
  const { environment } = options;
  const waits = slices
    .map((slice) => {
      const vcpus = vcpuShare(slice.memoryMb, environment);
      return { ...slice, ms: beyondBurstMs(slice.fileBytes, vcpus, hostOf(options), environment) };
    })
    .filter(({ ms }) => ms >= NOTICEABLE_MS);
  if (waits.length === 0) return [];
  const longest = waits.reduce((most, wait) => (wait.ms > most.ms ? wait : most));
  const { burst, sustainedRate } = environment.network;
  const mebibytes = (mib: number): string => formatBytes(mib * 2 ** 20);
  const subject = waits.length === 1 ? `Slice ${waits[0].slice} has` : `${waits.length} slices have`;
  return [
    `${subject} more files than a function receives in a burst, after which its network passes ` +
      `${mebibytes(sustainedRate)} a second: slice ${longest.slice} with ${formatBytes(longest.fileBytes)} therefore loads ` +
      `${quantityText('milliseconds', longest.ms)} longer when cold. ` +
      `Slices of at most ${mebibytes(Math.min(SAFE_MIB, burst))} load within the burst.`,
  ];
}

export function warningsOf(
  { planned, model }: AnalyzedModel,
  cut: ChosenCut,
  { profileDifferences = [] }: ReportRequest,
): string[] {
  const { bounded, assumed, dimensions } = planned;
  const { refused, replaced } = sizeNotes(planned);
  const names = bounded.map((value) => model.graph.values[value].name);
  const sizesOf = assumed.map((name) => `${name}=${dimensions[name]}`);
  return [
    assumed.length > 0 && `no --dimension sets ${listed(assumed)}, so the plan assumes ${listed(sizesOf)}`,
    replaced,
    refused,
    names.length > 0 && `the sizes of ${listed(names)} depend on data, so the plan counts estimates of them`,
    ...profileDifferences.map((difference) => `the profile differs from this plan: ${difference}`),
    cut.quality?.comparedAllCuts === false &&
      `the model has too many cuts to compare all, so the search compared the ${cut.quality.comparedCuts} that fewer bytes cross than their neighbors`,
  ].filter((warning) => typeof warning === 'string');
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}
