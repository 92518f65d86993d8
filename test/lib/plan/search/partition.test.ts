/** Compares the slices of a fixed number with an exhaustive search. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../../lib/compile/analyze';
import { WeightTable } from '../../../../lib/dataflow/weights';
import type { CutSpace } from '../../../../lib/plan/cuts/cuts';
import { equalCuts, greedyCuts } from '../../../../lib/plan/search/baselines';
import { count, maxSliceSize } from '../../../../lib/plan/search/slicers';
import { sizeStretches } from '../../../../lib/plan/search/stretches';
import type { SliceSize } from '../../../../lib/plan/sizes/estimate';
import type { Groups } from '../../../../lib/plan/wiring/groups';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { saveModel } from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';

analyzeFast();

const moved = (sizes: readonly SliceSize[]): number =>
  sizes.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0);

function sizesAt(space: CutSpace, cuts: readonly number[]): SliceSize[] {
  const boundaries = [0, ...cuts, space.dataflow.order.length];
  const weights = new WeightTable(space.dataflow, space.bytes, space.costs.work);
  return boundaries.slice(1).map((_, from) => {
    const sizes: SliceSize[] = [];
    sizeStretches(space, weights, boundaries, from, (_to, size) => {
      sizes.push(size);
      return false;
    });
    return sizes[0];
  });
}

function cutsOf(groups: Groups): number[] {
  let place = 0;
  return groups.slice(0, -1).map((nodes) => (place += nodes.length));
}

function subsets(cuts: readonly number[]): number[][] {
  return cuts.reduce<number[][]>((all, cut) => [...all, ...all.map((chosen) => [...chosen, cut])], [[]]);
}

/** Random models with so few legal cuts that every subset can be tried. */
const smallSpace = randomModel
  .map((init) => analyzeModel(saveModel(init)).cuts)
  .filter(({ legal }) => legal.length > 0 && legal.length <= 9);

describe('maxSliceSize', () => {
  test('makes the fewest slices within the limit', () => {
    fc.assert(
      fc.property(smallSpace, fc.double({ min: 0, max: 1, noNaN: true }), (space, share) => {
        const all = subsets(space.legal).map((cuts) => sizesAt(space, cuts));
        const [smallest, largest] = [Math.min, Math.max].map((pick) =>
          pick(...all.map((sizes) => Math.max(...sizes.map(({ weightBytes }) => weightBytes)))),
        );
        const cap = Math.max(1, Math.floor(smallest + share * (largest - smallest)));
        const fits = ({ weightBytes }: SliceSize): boolean => weightBytes <= cap;
        const found = sizesAt(space, cutsOf(maxSliceSize(cap).choose(space).groups));
        const allowed = all.filter((sizes) => sizes.every(fits));
        expect(found.every(fits)).toBe(true);
        expect(found).toHaveLength(Math.min(...allowed.map((sizes) => sizes.length)));
      }),
      { numRuns: 15 },
    );
  });
});

describe('count', () => {
  test('moves no more bytes than equal numbers of nodes and than greedy filling, if dollars are not limited', () => {
    fc.assert(
      fc.property(smallSpace, fc.nat(1000), (space, seed) => {
        const slices = 1 + (seed % (space.legal.length + 1));
        const range = { start: 0, end: space.dataflow.order.length };
        const simple = [equalCuts(space.legal, range, slices), greedyCuts(space, space.legal, range, slices)];
        for (const cuts of simple) expect(cuts).toHaveLength(slices - 1);
        const movedBytes = Math.min(...simple.map((cuts) => moved(sizesAt(space, cuts))));
        // The caps on bytes and on dollars may contradict each other, so this test sets the one on bytes alone.
        const { groups } = count(slices).choose(space, { movedBytes, dollars: Infinity });
        const found = sizesAt(space, cutsOf(groups));
        expect(found).toHaveLength(slices);
        expect(moved(found)).toBeLessThanOrEqual(movedBytes);
      }),
      { numRuns: 60 },
    );
  });
});
