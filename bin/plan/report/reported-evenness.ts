/** What even slices of a fixed number cost, beside as many slices at the cheapest cuts. */
import type { AnalyzedModel } from '../../../lib/compile/analyze';
import { plannedRuns } from '../../../lib/plan/pricing/plan-runs';
import { largestOf } from '../../../lib/extremes';
import type { ChosenCut } from '../../../lib/plan/choose/cut-prices';
import type { PricedPlan } from '../../../lib/plan/pricing/price';
import type { Goal } from '../../../lib/plan/goal';
import type { SliceSize } from '../../../lib/plan/sizes/estimate';
import { sliceSizes } from '../../../lib/plan/sizes/slice-sizes';
import { figureText, percentText, quantity } from '../figures';
import type { ReportedEvenness } from '../plan-report';
import { runCost } from './priced-plan';

const MILLION = 1e6;

/** `undefined` if the user did not set the number of slices. */
export function reportedEvenness(
  analyzed: AnalyzedModel,
  { evenness }: ChosenCut,
  sizes: readonly SliceSize[],
  priced: PricedPlan,
  goal: Goal,
): ReportedEvenness | undefined {
  if (evenness === undefined) return undefined;
  const { bytes, costs } = analyzed.cuts;
  const { dataflow, wiring } = evenness.cheapest;
  const cheapest = plannedRuns(analyzed, evenness.cheapest, goal).slices;
  const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
  return {
    largestShare: largestOf(seconds) / sum(seconds),
    movedBytes: movedBytes(sizes),
    dollarsPerMillion: MILLION * runCost(priced, goal.temperature).dollars,
    cheapest: {
      movedBytes: movedBytes(sliceSizes(dataflow, wiring, bytes, costs)),
      dollarsPerMillion: MILLION * runCost(cheapest, goal.temperature).dollars,
    },
  };
}

export function evennessSentence(
  { largestShare, movedBytes: moved, dollarsPerMillion, cheapest }: ReportedEvenness,
  slices: number,
): string {
  const figures = (bytes: number, dollars: number): string =>
    `${figureText(quantity('bytes', bytes))} and cost ${figureText(quantity('dollars', dollars))}`;
  return (
    `The largest slice does ${percentText(largestShare)} of the work. These slices move ${figures(moved, dollarsPerMillion)} in a million runs; ` +
    `the cheapest ${slices} slices would move ${figures(cheapest.movedBytes, cheapest.dollarsPerMillion)}.`
  );
}

function movedBytes(sizes: readonly SliceSize[]): number {
  return sum(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
