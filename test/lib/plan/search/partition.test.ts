/** Compares slices of a limited size, and of a fixed number, with an exhaustive search. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../../lib/compile/analyze';
import type { CutSpace } from '../../../../lib/plan/cuts/cuts';
import { MOST_BYTES_FACTOR } from '../../../../lib/plan/search/even-path';
import { type SliceSize, busyMs, isNearEmpty, memoryMb } from '../../../../lib/plan/sizes/estimate';
import { count, maxSliceSize } from '../../../../lib/plan/slicers';
import { sizeOfRange } from '../../../../lib/plan/cuts/range-sizes';
import type { Groups } from '../../../../lib/plan/wiring/wiring';
import { analyzeFast } from '../../../support/inference/fast-analysis';
import { saveModel } from '../../../support/model-builder';
import { randomModel } from '../../../support/random-graph';
import { cases } from '../../../support/full-checks';

analyzeFast();

function sizesAt(space: CutSpace, cuts: readonly number[]): SliceSize[] {
  const boundaries = [0, ...cuts, space.dataflow.order.length];
  return boundaries.slice(1).map((end, slice) => sizeOfRange(space, boundaries[slice], end));
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

test('maxSliceSize makes the fewest slices within the limit', () => {
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
    { numRuns: cases(8, 40) },
  );
});

/** What the goal of a fixed number of slices compares. */
interface Measured {
  readonly bytes: number;
  readonly memory: number;
  readonly longest: number;
  readonly leastWork: number;
  readonly mostWork: number;
}

function measured(space: CutSpace, sizes: readonly SliceSize[]): Measured {
  const model = space.costs.model();
  return {
    bytes: sizes.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0),
    memory: Math.max(...sizes.map(memoryMb)),
    longest: Math.max(...sizes.map((size) => busyMs(size, model))),
    leastWork: Math.min(...sizes.map(({ coreSeconds }) => coreSeconds)),
    mostWork: Math.max(...sizes.map(({ coreSeconds }) => coreSeconds)),
  };
}

/** By its definition, over all cuts into this number of slices: those with the goal, and the most bytes. */
function goalOf(
  space: CutSpace,
  all: readonly Measured[],
  slices: number,
): { best: Measured[]; near: number } {
  const least = (cuts: readonly Measured[], field: keyof Measured): number =>
    Math.min(...cuts.map((cut) => cut[field]));
  const [{ coreSeconds }] = sizesAt(space, []);
  const smallest = Math.max(...all.map(({ leastWork }) => leastWork));
  const part = isNearEmpty(smallest, coreSeconds, slices) ? 0 : smallest / 2;
  const sharing = all.filter(({ leastWork }) => leastWork >= part);
  const near = MOST_BYTES_FACTOR * Math.max(least(sharing, 'bytes'), 64 * 1024 * slices);
  const nearby = all.filter(({ bytes }) => bytes <= near);
  const small = nearby.filter(({ memory }) => memory === least(nearby, 'memory'));
  const most = Math.min(part, Math.max(...small.map(({ leastWork }) => leastWork)));
  const shared = small.filter(({ leastWork }) => leastWork >= most);
  const inTime = shared.filter(({ longest }) => longest <= 1.1 * least(shared, 'longest'));
  const even = inTime.filter(({ mostWork }) => mostWork <= 1.1 * least(inTime, 'mostWork'));
  return { best: even.filter(({ bytes }) => bytes === least(even, 'bytes')), near };
}

test('count makes the smallest largest function, by memory, time and work, of all cuts that move few bytes', () => {
  let bound = 0;
  fc.assert(
    fc.property(smallSpace, fc.nat(1000), fc.constantFrom(1, 1e4, 1e5), (original, seed, scale) => {
      // Tensors of some bytes to hundreds of MB: bytes are negligible, or decide, or memory decides.
      const space = { ...original, bytes: original.bytes.map((bytes) => scale * bytes) };
      const slices = 2 + (seed % space.legal.length);
      const all = subsets(space.legal)
        .filter((cuts) => cuts.length === slices - 1)
        .map((cuts) => measured(space, sizesAt(space, cuts)));
      const { best, near } = goalOf(space, all, slices);
      if (all.some(({ bytes }) => bytes > near)) bound++;

      const found = sizesAt(space, cutsOf(count(slices).choose(space).groups));

      expect(found).toHaveLength(slices);
      expect(best).toContainEqual(measured(space, found));
    }),
    { numRuns: cases(25, 150) },
  );
  expect(bound).toBeGreaterThan(0);
});
