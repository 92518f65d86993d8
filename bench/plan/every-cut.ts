/** Tries every cut of a small model, to tell whether a cut within limits exists. */
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { pricedGroups } from './price-cut';

const MOST_TRIED = 20_000;

/** @returns how many of all cuts keep both limits; `undefined` if there are too many cuts */
export function cutsWithin(
  analyzed: AnalyzedModel,
  slices: number,
  caps: { readonly movedBytes: number; readonly dollars: number },
): { readonly within: number; readonly tried: number } | undefined {
  const { cuts } = analyzed;
  const spaces = cuts.withoutRepeats === undefined ? [cuts] : [cuts, cuts.withoutRepeats];
  let [within, tried] = [0, 0];
  for (const { legal, dataflow } of spaces) {
    if (choices(legal.length, slices - 1) > MOST_TRIED) return undefined;
    for (const chosen of subsets(legal, slices - 1)) {
      const boundaries = [0, ...chosen, dataflow.order.length];
      const groups = boundaries.slice(1).map((end, index) => dataflow.order.slice(boundaries[index], end));
      const { movedBytes, cost } = pricedGroups(analyzed, groups);
      tried++;
      if (movedBytes <= caps.movedBytes && cost.dollars <= caps.dollars) within++;
    }
  }
  return { within, tried };
}

function choices(of: number, chosen: number): number {
  return Array.from({ length: chosen }).reduce(
    (all: number, _, index) => (all * (of - index)) / (index + 1),
    1,
  );
}

function* subsets(of: readonly number[], size: number, from = 0): Generator<readonly number[]> {
  if (size === 0) yield [];
  else
    for (let index = from; index <= of.length - size; index++)
      for (const rest of subsets(of, size - 1, index + 1)) yield [of[index], ...rest];
}
