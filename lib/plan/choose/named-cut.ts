/** Chooses the best of the cuts that the caller has named, counted or limited by size: with repeated nodes, without them, or between branches. */
import type { Dataflow } from '../../dataflow/dataflow';
import { SlicedInferenceError } from '../../errors';
import type { ChosenCut, Evenness, NamedSlicer } from '../slicers/slicer';
import { branchedSpaces } from '../cuts/branches';
import { type CutSpace, spacesOf } from '../cuts/cuts';
import { type Groups, type WiredCut, wireGroups } from '../wiring/wiring';
import { DEFAULT_GOAL } from '../goal';
import {
  type ConsolidationMode,
  type WholeCut,
  besideSlices,
  isWorthwhile,
  wholeModel,
  pricedPlan,
} from '../pricing/price';
import { EVEN_TOLERANCE } from '../search/even-path';
import { memoryMb, threadCount, busyMs, isNearEmpty } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import { attempt, attemptAll, areBranchesWorthwhile } from './ranking';
import type { RunCost } from '../../cost/chain';
import { costOf } from '../../cost/schedule';
import { largestOf, sumOf } from '../../extremes';
import { scheduleSlices } from '../schedule/schedule';

/** Share by which the largest of a fixed number of slices may take longer if branches then run side by side. */
const MAX_ADDED_TIME = 0.25;

export function namedCut(
  dataflow: Dataflow,
  cuts: CutSpace,
  slicer: NamedSlicer,
  consolidation: ConsolidationMode,
): ChosenCut {
  const chooser = new Chooser(dataflow, cuts, slicer);
  const sequential = chooser.best();
  const parallel = chooser.withBranches(sequential);
  const best = parallel.reduce(
    (found, cut) => (chooser.isWorthIt(cut, found, sequential) ? cut : found),
    sequential,
  );
  const whole = wholeBeside(dataflow, cuts, best, consolidation);
  return whole ? { ...best, whole } : best;
}

function wholeBeside(
  dataflow: Dataflow,
  cuts: CutSpace,
  cut: WiredCut,
  mode: ConsolidationMode,
): WholeCut | undefined {
  if (mode === 'never' || cut.groups.length === 1) return undefined;
  const sizes = sliceSizes(cut.dataflow, cut.wiring, cuts.bytes, cuts.costs);
  const memory = sizes.map(memoryMb);
  const whole = besideSlices(wholeModel(dataflow, cuts), memory);
  const { options } = cuts.costs.model();
  return mode === 'always' || isWorthwhile(whole, sizes, memory, options, {}) ? whole : undefined;
}

class Chooser {
  private readonly prices: CutPrices;

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly slicer: NamedSlicer,
  ) {
    this.prices = new CutPrices(cuts);
  }

  best(): ChosenCut {
    const found = attemptAll(spacesOf(this.cuts), (space) => this.chosen(space)).reverse();
    const best = found.reduce((first, cut) => (this.isBetter(cut, first) ? cut : first));
    return best.evenness === undefined ? best : { ...best, evenness: this.cheapestOf(found) };
  }

  withBranches({ groups, evenness }: ChosenCut): ChosenCut[] {
    const { slicer } = this;
    if (slicer.chooseWithin === undefined || groups.length < 2) return [];
    return branchedSpaces(this.cuts).flatMap(({ space, ranges }) => {
      const choice = attempt(() => slicer.chooseWithin?.(space, ranges));
      if (choice === undefined || choice instanceof SlicedInferenceError) return [];
      if (choice.groups.length !== groups.length) return [];
      return [{ ...this.wired(choice.groups), ...(evenness && { evenness }) }];
    });
  }

  isWorthIt(cut: ChosenCut, best: ChosenCut, sequential: ChosenCut): boolean {
    if (!this.isAboutAsEven(cut, sequential)) return false;
    const [own, before, first] = [cut, best, sequential].map((each) => this.prices.of(each).cost);
    return areBranchesWorthwhile(DEFAULT_GOAL, own, before, first);
  }

  private isBetter(cut: ChosenCut, than: ChosenCut): boolean {
    if (cut.groups.length !== than.groups.length) return cut.groups.length < than.groups.length;
    const [own, other] = [this.prices.of(cut), this.prices.of(than)];
    if (cut.evenness === undefined || than.evenness === undefined) return own.movedBytes < other.movedBytes;
    const mostBytes = Math.min(cut.evenness.mostBytes, than.evenness.mostBytes);
    const isNear = own.movedBytes <= mostBytes;
    if (isNear !== other.movedBytes <= mostBytes) return isNear;
    if (own.memoryMb !== other.memoryMb) return own.memoryMb < other.memoryMb;
    if (own.nearEmpty !== other.nearEmpty) return own.nearEmpty < other.nearEmpty;
    const [least, most] = [own.mostMs, other.mostMs].sort((a, b) => a - b);
    return most > (1 + EVEN_TOLERANCE) * least
      ? own.mostMs < other.mostMs
      : own.movedBytes < other.movedBytes;
  }

  private isAboutAsEven(cut: ChosenCut, sequential: ChosenCut): boolean {
    if (sequential.evenness === undefined) return true;
    const [own, other] = [this.prices.of(cut), this.prices.of(sequential)];
    return (
      own.movedBytes <= sequential.evenness.mostBytes &&
      own.memoryMb <= other.memoryMb &&
      own.nearEmpty <= other.nearEmpty &&
      own.mostMs <= (1 + MAX_ADDED_TIME) * other.mostMs
    );
  }

  private cheapestOf(cuts: readonly ChosenCut[]): Evenness<WiredCut> | undefined {
    const dollars = ({ cheapest }: Evenness<WiredCut>): number => this.prices.of(cheapest).cost.dollars;
    return cuts
      .flatMap(({ evenness }) => evenness ?? [])
      .reduce((best, next) => (dollars(next) < dollars(best) ? next : best));
  }

  private chosen(space: CutSpace): ChosenCut {
    const { groups, quality, evenness } = this.slicer.choose(space);
    return {
      ...this.wired(groups),
      ...(quality && { quality }),
      ...(evenness && { evenness: { ...evenness, cheapest: this.wired(evenness.cheapest) } }),
    };
  }

  private wired(groups: Groups): WiredCut {
    return wireGroups(this.dataflow, this.cuts.rule, groups);
  }
}

export interface PricedCut {
  readonly movedBytes: number;
  readonly cost: RunCost;
  readonly memoryMb: number;
  /** Milliseconds of the function that takes the longest, see `busyMs`. */
  readonly mostMs: number;
  readonly nearEmpty: number;
}

class CutPrices {
  private readonly known = new Map<WiredCut, PricedCut>();

  constructor(private readonly cuts: CutSpace) {}

  /** Every function has the least memory that fits. */
  of(cut: WiredCut): PricedCut {
    const known = this.known.get(cut);
    if (known !== undefined) return known;
    const { bytes, costs } = this.cuts;
    const sizes = sliceSizes(cut.dataflow, cut.wiring, bytes, costs);
    const least = sizes.map(memoryMb);
    const { slices, results } = cut.wiring;
    const model = costs.model();
    const seconds = sizes.map(({ coreSeconds }) => coreSeconds);
    const ofAll = sumOf(seconds);
    const { outcomes } = pricedPlan(
      scheduleSlices({ slices, outputs: results }),
      sizes,
      { memoryMb: least, threads: threadCount(largestOf(least)), transport: 's3-standard' },
      { model, outputSecondsPerByte: costs.outputSecondsPerByte },
    );
    const priced = {
      movedBytes: sumOf(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
      cost: costOf(outcomes, model.coldShare, DEFAULT_GOAL.temperature),
      memoryMb: largestOf(least),
      mostMs: largestOf(sizes.map((size) => busyMs(size, model))),
      nearEmpty: seconds.filter((own) => isNearEmpty(own, ofAll, sizes.length)).length,
    };
    this.known.set(cut, priced);
    return priced;
  }
}
