/** Sentences on what may make the figures of a plan differ from runs. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { evenNotes } from '../../../lib/compile/even-notes';
import { sizeNotes } from '../../../lib/compile/size-notes';
import type { ChosenCut } from '../../../lib/plan/choose/cut-prices';
import type { SearchQuality } from '../../../lib/plan/slicers/slicer';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import type { ReportRequest } from './report-request';

/** Names that a warning lists. */
const NAMED = 3;

export function warningsOf(
  { planned, model, cuts }: AnalyzedModel,
  cut: ChosenCut,
  sizes: readonly SliceSize[],
  { profileDifferences = [] }: ReportRequest,
): string[] {
  const { bounded, assumed, dimensions } = planned;
  const { refused, replaced } = sizeNotes(planned);
  const { nearEmpty, inTheWay } = evenNotes(cuts, cut, sizes);
  const names = bounded.map((value) => model.graph.values[value].name);
  return [
    ...(assumed.length > 0
      ? [
          `no --dimension sets ${listed(assumed)}, so the plan assumes ${listed(assumed.map((name) => `${name}=${dimensions[name]}`))}`,
        ]
      : []),
    ...(replaced === undefined ? [] : [replaced]),
    ...(refused === undefined ? [] : [refused]),
    ...(names.length > 0
      ? [`the sizes of ${listed(names)} depend on data, so the plan counts estimates of them`]
      : []),
    ...profileDifferences.map((difference) => `the profile differs from this plan: ${difference}`),
    ...(cut.quality === undefined ? [] : searchWarnings(cut.quality)),
    ...(nearEmpty === undefined ? [] : [nearEmpty]),
    ...(inTheWay === undefined ? [] : [`the slices are uneven: ${inTheWay}`]),
  ];
}

function searchWarnings({ comparedCuts, comparedAllCuts }: SearchQuality): string[] {
  if (comparedAllCuts) return [];
  return [
    `the model has too many cuts to compare all, so the search compared the ${comparedCuts} that fewer bytes cross than their neighbors`,
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}
