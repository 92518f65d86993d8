/** The sentences of a report on the plan itself, and on what may make its figures differ from runs. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { dataSizesNote, longCallNote, longRunNote, uselessSlicesNote } from '../../../lib/plan/notes';
import type { PlanDraft } from '../../../lib/plan/file/plan';
import { refusedSizesNote } from '../../../lib/compile/plan-estimates';
import { listed } from '../../../lib/errors';
import { largestOf } from '../../../lib/extremes';
import { inexactNote, rewrittenNote } from '../../../lib/plan/int8-weights';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import type { ChosenCut } from '../../../lib/plan/slicers/slicer';
import type { PlannedSplit } from '../../../lib/split/split';
import { quantityText } from '../figures';
import type { PlanReport } from '../plan-report';

/** Names that a warning lists. */
const NAMED = 3;

export function planSentences(
  draft: Pick<PlanReport, 'slices' | 'consolidation' | 'splits'> & Pick<PlanDraft, 'int8Weights'>,
): string[] {
  const { slices, consolidation, splits, int8Weights } = draft;
  const rewritten = int8Weights && rewrittenNote(int8Weights);
  const largest = quantityText('megabytes', largestOf(slices.map(({ memoryMb }) => memoryMb)));
  return [
    slices.length === 1
      ? `This plan runs the whole model in one slice, with a function of ${largest}.`
      : `This plan runs the model in ${slices.length} slices, of which the largest has a function of ${largest}.`,
    ...(consolidation
      ? [
          `With consolidation, a function of ${quantityText('megabytes', consolidation.memoryMb)} with the whole model serves the runs that find it warm.`,
        ]
      : []),
    ...splits.map((split) => `${splitSentence(split)}.`),
    ...(rewritten === undefined ? [] : [`${rewritten}.`]),
  ];
}

/** For users of PyTorch: columns of a product are the output features of its layer. */
export function splitSentence({ operator, name, weight, weightBytes, axis, parts }: PlannedSplit): string {
  const features = { columns: 'output features', channels: 'output channels', rows: 'rows of its table' }[
    axis
  ];
  return `${operator} '${name}' (${weight}, ${quantityText('bytes', weightBytes)}) runs in ${parts.length} parts, each with about ${Math.round(parts.reduce((sum, part) => sum + part, 0) / parts.length)} of its ${features}; a later slice joins them`;
}

export function warningsOf(
  { planned, model, costs }: AnalyzedModel,
  cut: ChosenCut,
  { int8Weights, dataSizes, slices }: PlanDraft,
  { sizes, slowestColdMs }: { readonly sizes: readonly SliceSize[]; readonly slowestColdMs: number },
): string[] {
  const { bounded, assumed, dimensions } = planned;
  const names = bounded.map((value) => model.graph.values[value].name);
  const sizesOf = assumed.map((name) => `${name}=${dimensions[name]}`);
  return [
    longCallNote(slices.map(({ coldSeconds }) => coldSeconds)),
    longRunNote(slowestColdMs / 1000, costs.stateMachineType),
    assumed.length > 0 &&
      `no --dimension sets ${listed(assumed, NAMED)}, so the plan assumes ${listed(sizesOf, NAMED)}`,
    refusedSizesNote(planned),
    uselessSlicesNote(sizes),
    costs.architecture !== 'arm64' && int8Weights && inexactNote(int8Weights),
    dataSizes && dataSizes.failure === undefined && dataSizesNote(dataSizes),
    names.length > 0 &&
      `the sizes of ${listed(names, NAMED)} depend on data, so the plan counts estimates of them`,
    cut.quality?.comparedAllCuts === false &&
      `the model has too many possible cuts to compare all: the search compared ${cut.quality.comparedCuts} of them, which move fewer bytes than the cuts next to them`,
  ].filter((warning) => typeof warning === 'string');
}
