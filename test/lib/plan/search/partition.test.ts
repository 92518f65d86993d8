/** Compares slices of a limited size, and of a fixed number, with an exhaustive search. */
import * as fc from 'fast-check';
import { analyzeModel } from '../../../../lib/compile/analyze';
import type { CutSpace } from '../../../../lib/plan/cuts/cuts';
import { type InState, coldShareAt } from '../../../../lib/cost/chain';
import { demandOf } from '../../../../lib/plan/pricing/price';
import { type SliceSize, busyMs, isNearEmpty, memoryMb } from '../../../../lib/plan/sizes/estimate';
import { legalIn } from '../../../../lib/plan/search/cut-graph';
import { count, maxSliceSize } from '../../../../lib/plan/slicers';
import { type RangeSize, sizeOfRange } from '../../../../lib/plan/cuts/range-sizes';
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

test('the ends of a range do not cut it, because a slice would be empty', () => {
  const space = { legal: [2, 3, 5, 6, 8, 9] } as unknown as CutSpace;
  expect(legalIn(space, { start: 3, end: 8 })).toEqual([5, 6]);
});

/** Of the random models. fast-check prints it if a test fails. */
const SEED = Number(process.env.PARTITION_SEED ?? 1);

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
    { numRuns: cases(8, 40), seed: SEED },
  );
});

/** What the goal of a fixed number of slices compares. */
interface Measured {
  readonly dollars: number;
  readonly bytes: number;
  readonly memory: number;
  readonly longest: number;
  readonly leastWork: number;
  readonly mostWork: number;
}

/** The dollars of a chain of functions with the least memory, without what is the same for all chains of as many slices. */
function dollarsOf({ costs }: CutSpace, sizes: readonly SliceSize[]): number {
  const model = costs.model();
  const cold = coldShareAt('mixed', model.coldShare);
  const last = sizes.length - 1;
  return sizes.reduce((sum, size, slice) => {
    const demand = demandOf(size, costs.outputSecondsPerByte);
    const step = model.step(demand, {
      memoryMb: memoryMb(size),
      threads: costs.threads(10_240),
      readsFrom: slice === 0 ? 'request' : 's3-standard',
      writesTo: 's3-standard',
      writesResult: slice === last,
      inState: stateOf(size as RangeSize, slice === last),
    });
    const warm = step.warmDollars + model.dollarsPerMs * step.warmMs;
    return sum + (1 - cold) * warm + cold * (step.coldDollars + model.dollarsPerMs * step.coldMs);
  }, 0);
}

function stateOf({ characters, smallReads, gets }: RangeSize, isLast: boolean): InState {
  return {
    isAnswered: characters <= 48 * 1024 && !isLast,
    gets: smallReads.areAll ? gets : 0,
    readsAll: smallReads.areAll,
    readBytes: smallReads.bytes,
    characters: 0,
  };
}

function measured(space: CutSpace, sizes: readonly SliceSize[]): Measured {
  const model = space.costs.model();
  return {
    dollars: dollarsOf(space, sizes),
    bytes: sizes.reduce((sum, { readBytes, writeBytes }) => sum + readBytes + writeBytes, 0),
    memory: Math.max(...sizes.map(memoryMb)),
    longest: Math.max(...sizes.map((size) => busyMs(size, model))),
    leastWork: Math.min(...sizes.map(({ coreSeconds }) => coreSeconds)),
    mostWork: Math.max(...sizes.map(({ coreSeconds }) => coreSeconds)),
  };
}

/** By its definition, the dollars of the best ones of all cuts into this number of slices, and the most dollars. */
function goalOf(
  space: CutSpace,
  all: readonly Measured[],
  slices: number,
): { best: Measured[]; mostDollars: number } {
  const least = (cuts: readonly Measured[], field: keyof Measured): number =>
    Math.min(...cuts.map((cut) => cut[field]));
  const [{ coreSeconds }] = sizesAt(space, []);
  const isUseless = ({ leastWork }: Measured): boolean => isNearEmpty(leastWork, coreSeconds, slices);
  const smallest = Math.max(...all.map(({ leastWork }) => leastWork));
  const part = isNearEmpty(smallest, coreSeconds, slices) ? 0 : smallest / 2;
  const mostDollars =
    1.25 *
    least(
      all.filter(({ leastWork }) => leastWork >= part),
      'dollars',
    );
  const affordable = all.filter(({ dollars }) => dollars <= mostDollars * (1 + ROUNDING));
  const [smallFunction] = [...affordable].sort(
    (a, b) => a.memory * a.longest - b.memory * b.longest || a.memory - b.memory,
  );
  const small = all.filter(
    ({ memory, longest }) => memory <= smallFunction.memory && longest <= 1.1 * smallFunction.longest,
  );
  const cheap = small.filter(({ dollars }) => dollars <= 1.02 * least(small, 'dollars') * (1 + ROUNDING));
  const useful = cheap.filter((cut) => !isUseless(cut));
  const mostWork = 1.1 * least(useful.length > 0 ? useful : cheap, 'mostWork');
  const even = small.filter((cut) => cut.mostWork <= mostWork && (useful.length === 0 || !isUseless(cut)));
  return {
    best: even.filter(({ dollars }) => dollars <= least(even, 'dollars') * (1 + ROUNDING)),
    mostDollars,
  };
}

/** Sums in another order differ by rounding. */
const ROUNDING = 1e-8;

test('count makes the smallest largest function that costs little more than the cheapest cut which shares the work', () => {
  let bound = 0;
  fc.assert(
    fc.property(smallSpace, fc.nat(1000), fc.constantFrom(1, 1e4, 1e5), (original, seed, scale) => {
      // Tensors of some bytes to hundreds of MB: calls decide about the price, or transfers, or memory.
      const space = { ...original, bytes: original.bytes.map((bytes) => scale * bytes) };
      const slices = 2 + (seed % space.legal.length);
      const all = subsets(space.legal)
        .filter((cuts) => cuts.length === slices - 1)
        .map((cuts) => measured(space, sizesAt(space, cuts)));
      const { best, mostDollars } = goalOf(space, all, slices);
      if (all.some(({ dollars }) => dollars > mostDollars)) bound++;

      const sizes = sizesAt(space, cutsOf(count(slices).choose(space).groups));
      const found = measured(space, sizes);

      expect(sizes).toHaveLength(slices);
      expect(best).toContainEqual(found);
      const isSmaller = (other: Measured): boolean =>
        (['memory', 'longest', 'bytes', 'dollars'] as const).every((field) => other[field] < found[field]);
      expect(all.filter(isSmaller)).toEqual([]);
    }),
    { numRuns: cases(25, 150), seed: SEED },
  );
  expect(bound).toBeGreaterThan(0);
});
