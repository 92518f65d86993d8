/** Chooses the best of the cuts that the caller has named, counted or limited by size: with repeated nodes, without them, or between branches. */
import type { Dataflow } from '../../dataflow/dataflow';
import { SlicedInferenceError } from '../../errors';
import type { Choice, ChosenCut, NamedSlicer } from '../slicers/slicer';
import { branchedSpaces } from '../cuts/branches';
import { type CutSpace, spacesOf } from '../cuts/cuts';
import { type Groups, type WiredCut, wireGroups } from '../wiring/wiring';
import { DEFAULT_GOAL } from '../goal';
import { plannedRuns } from '../pricing/plan-runs';
import * as pricing from '../pricing/price';
import { EVEN_TOLERANCE, MOST_DOLLARS_FACTOR } from '../search/even-path';
import { memoryMb, busyMs, isNearEmpty } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import { attempt, attemptAll, areBranchesWorthwhile } from './ranking';
import { costOf } from '../../cost/schedule';
import { largestOf, sumOf } from '../../extremes';

/** Share by which the largest of a fixed number of slices may take longer if branches then run side by side. */
const MAX_ADDED_TIME = 0.25;

interface Candidate {
  readonly cut: ChosenCut;
  readonly price: CutPrice;
}

export function namedCut(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: NamedSlicer,
  consolidation: pricing.ConsolidationMode,
): ChosenCut {
  const candidateOf = (choice: Choice): Candidate => {
    const cut = { ...choice, ...wireGroups(dataflow, cuts.rule, choice.groups) };
    return { cut, price: priceOf(cuts, cut) };
  };
  const found = attemptAll(spacesOf(cuts), (space) => candidateOf(slicer.choose(space))).reverse();
  const sequential = found.reduce((best, next) => (isBetter(next, best) ? next : best));
  const { groups: inOrder, isEven } = sequential.cut;
  const parallel = branchedCuts(cuts, slicer, inOrder.length).map((groups) =>
    candidateOf({ groups, ...(isEven && { isEven }) }),
  );
  const best = parallel.reduce(
    (before, next) =>
      isAboutAsEven(next, sequential) &&
      areBranchesWorthwhile(DEFAULT_GOAL, next.price.cost, before.price.cost, sequential.price.cost)
        ? next
        : before,
    sequential,
  );
  const whole = wholeBeside(dataflow, cuts, best.cut, consolidation);
  return { ...best.cut, ...(whole && { whole }) };
}

function branchedCuts(cuts: CutSpace, slicer: NamedSlicer, slices: number): Groups[] {
  if (slicer.chooseWithin === undefined || slices < 2) return [];
  return branchedSpaces(cuts).flatMap(({ space, ranges }) => {
    const choice = attempt(() => slicer.chooseWithin?.(space, ranges));
    if (choice === undefined || choice instanceof SlicedInferenceError) return [];
    return choice.groups.length === slices ? [choice.groups] : [];
  });
}

function isBetter({ cut, price }: Candidate, than: Candidate): boolean {
  if (cut.groups.length !== than.cut.groups.length) return cut.groups.length < than.cut.groups.length;
  const other = than.price;
  if (!cut.isEven || !than.cut.isEven) return price.movedBytes < other.movedBytes;
  const isCheaper = price.cost.dollars < other.cost.dollars;
  if (isAbove(price.cost.dollars, other.cost.dollars, MOST_DOLLARS_FACTOR)) return isCheaper;
  const [size, otherSize] = [price, other].map(({ memoryMb, mostMs }) => memoryMb * mostMs);
  if (isAbove(size, otherSize, 1 + EVEN_TOLERANCE)) return size < otherSize;
  return price.nearEmpty === other.nearEmpty ? isCheaper : price.nearEmpty < other.nearEmpty;
}

/** Whether one of them is more than `factor` times the other one. */
function isAbove(one: number, other: number, factor: number): boolean {
  return Math.max(one, other) > factor * Math.min(one, other);
}

function isAboutAsEven({ price }: Candidate, { cut, price: other }: Candidate): boolean {
  if (!cut.isEven) return true;
  return (
    price.cost.dollars <= MOST_DOLLARS_FACTOR * other.cost.dollars &&
    price.memoryMb <= other.memoryMb &&
    price.nearEmpty <= other.nearEmpty &&
    price.mostMs <= (1 + MAX_ADDED_TIME) * other.mostMs
  );
}

type CutPrice = ReturnType<typeof priceOf>;

/** By the price that is printed. Every function has the least memory that fits. */
function priceOf(cuts: CutSpace, cut: WiredCut) {
  const { plan, sizes } = plannedRuns({ cuts, transport: 's3-standard' }, cut);
  const model = cuts.costs.model();
  const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
  const ofAll = sumOf(seconds);
  return {
    movedBytes: sumOf(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
    cost: costOf(plan, model.coldShare, DEFAULT_GOAL.temperature),
    memoryMb: plan.memoryMb,
    /** Milliseconds of the function that takes the longest, see `busyMs`. */
    mostMs: largestOf(sizes.map((size) => busyMs(size, model))),
    nearEmpty: seconds.filter((own) => isNearEmpty(own, ofAll, sizes.length)).length,
  };
}

function wholeBeside(
  dataflow: Dataflow,
  cuts: CutSpace,
  cut: WiredCut,
  mode: pricing.ConsolidationMode,
): pricing.WholeCut | undefined {
  if (mode === 'never' || cut.groups.length === 1) return undefined;
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  const memory = sizes.map(memoryMb);
  const whole = pricing.besideSlices(pricing.wholeModel(dataflow, cuts), memory);
  const { options } = cuts.costs.model();
  return mode === 'always' || pricing.isWorthwhile(whole, sizes, memory, options, {}) ? whole : undefined;
}
