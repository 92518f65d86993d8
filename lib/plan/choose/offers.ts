/**
 * Prices plans as reports do: with warm-ups, branches in parallel, what fits into the state, and one function with the whole model if the
 * pipeline may have it. It chooses the memory of functions, and whether there is that function.
 */
import type { RunCost } from '../../cost/chain';
import { costOf } from '../../cost/schedule';
import type { Dataflow } from '../../dataflow/dataflow';
import { largestOf, sumOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { type WiredCut, wireGroups } from '../wiring/wiring';
import { type KnownSlice, type Memory, memoriesOf } from './memory';
import type { Grid } from '../search/weighing';
import type { Choice, ChosenCut } from '../slicers/slicer';
import type { Goal, PlanRequest } from '../goal';
import {
  type ConsolidationMode,
  type WholeCut,
  demandOf,
  besideSlices,
  isWorthwhile,
  wholeModel,
} from '../pricing/price';
import { type SliceSize, fileBytes, memoryMb } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import { consolidatedRuns, modelOfPlan, slicedRuns } from '../pricing/plan-runs';

export interface Offer {
  readonly cut: ChosenCut;
  /** Of the runs that the goal is about. */
  readonly cost: RunCost;
  /** Whether the runs keep the limits, as they are printed. */
  readonly keepsLimits: boolean;
  /** The slice that needs more memory than a function may have, if there is one. */
  readonly tooLarge?: SliceSize;
  readonly movedBytes: number;
  /** By slice: the least memory that fits, in MB. */
  readonly leastMb: Memory;
  /** The same slices with other memory; `undefined` if the pipeline then has no function with the whole model. */
  withMemory(memoryMb: Memory): Offer | undefined;
}

type Whole = Pick<WholeCut, 'cut' | 'size'>;

interface Way {
  readonly choice: Choice;
  readonly cut: WiredCut;
  readonly sizes: readonly SliceSize[];
  readonly request: PlanRequest;
  /** Present with consolidation. */
  readonly whole?: Whole;
}

/** Rounding error of the price of a run, as a share. */
const ROUNDING = 1e-12;

export class Offers {
  /** Absent if the pipeline never has it. */
  private readonly whole?: Whole;

  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly goal: Goal,
    private readonly consolidation: ConsolidationMode,
  ) {
    if (consolidation === 'never') return;
    const whole = wholeModel(dataflow, cuts);
    if (this.mayBeside(besideSlices(whole, []), [], [])) this.whole = whole;
  }

  /** Whether plans may have a function with the whole model beside the slices, which then only serve cold runs. */
  get mayHaveWhole(): boolean {
    return this.whole !== undefined;
  }

  /** The plan with each choice of memory that may be the best one, with and without consolidation. */
  of(choice: Choice, request: PlanRequest, grid: Grid = 'fine'): readonly Offer[] {
    const cut = wireGroups(this.dataflow, this.cuts.rule, choice.groups);
    const sizes = sliceSizes(cut.dataflow, cut.wiring, this.cuts.bytes, this.cuts.costs);
    const way = { choice, cut, sizes, request };
    const whole = sizes.length > 1 ? this.whole : undefined;
    return [
      ...(whole && this.consolidation === 'always' ? [] : this.ofWay(way, grid)),
      ...(whole ? this.ofWay({ ...way, whole }, grid) : []),
    ];
  }

  private ofWay(way: Way, grid: Grid): Offer[] {
    const { sizes, request, whole } = way;
    const model = modelOfPlan(this.cuts.costs, sizes.map(fileBytes), this.goal.requestsPerHour);
    const own = { ...request, model, ...(whole && { temperature: 'cold' as const }) };
    return memoriesOf(this.slicesOf(way), own, grid).flatMap((memory) => this.priced(way, memory) ?? []);
  }

  private slicesOf({ cut, sizes, request }: Way): KnownSlice[] {
    const { threads, transport } = request;
    const settings = { memoryMb: sizes.map(memoryMb), threads, transport };
    const { steps } = slicedRuns(this.cuts, { cut, sizes, settings }, this.goal.requestsPerHour);
    return steps.map(({ readsFrom, writesTo, writesResult, inState }, slice) => ({
      demand: demandOf(sizes[slice], this.cuts.costs.outputSecondsPerByte),
      choice: { threads, readsFrom, writesTo, writesResult, ...(inState && { inState }) },
    }));
  }

  private priced(way: Way, memory: Memory): Offer | undefined {
    const { choice, cut, sizes, request } = way;
    const { requestsPerHour } = this.goal;
    const { temperature, maxMemoryMb, transport } = request;
    const settings = { memoryMb: memory, threads: this.cuts.costs.threads(largestOf(memory)), transport };
    const planned = { cut, sizes, settings };
    const whole = way.whole && besideSlices(way.whole, memory);
    if (whole && !this.mayBeside(whole, sizes, memory)) return undefined;
    const consolidated = whole && consolidatedRuns(this.cuts, planned, whole, requestsPerHour);
    const slices = consolidated?.slices ?? slicedRuns(this.cuts, planned, requestsPerHour);
    const runs = consolidated ?? slices.outcomes;
    const cost = costOf(runs, slices.model.coldShare, temperature);
    const tooLarge = sizes.find((_, slice) => memory[slice] > maxMemoryMb);
    const chosen: ChosenCut = {
      ...{ ...cut, settings: { ...settings, temperature, cost } },
      ...(choice.quality && { quality: choice.quality }),
      ...(whole && { whole }),
    };
    const keepsLimits = !tooLarge && this.keeps(cost);
    return {
      ...{ cut: chosen, cost, keepsLimits, ...(tooLarge && { tooLarge }) },
      movedBytes: sumOf(sizes.map(({ readBytes, writeBytes }) => readBytes + writeBytes)),
      leastMb: sizes.map(memoryMb),
      withMemory: (other) => this.priced(way, other),
    };
  }

  keeps({ dollars, latency }: RunCost): boolean {
    const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile } = this.goal;
    return dollars <= maxDollars * (1 + ROUNDING) && latency[quantile] <= maxLatencyMs;
  }

  private mayBeside(whole: WholeCut, sizes: readonly SliceSize[], memory: readonly number[]): boolean {
    if (this.consolidation === 'always') return true;
    const { options } = this.cuts.costs.model(this.goal.requestsPerHour);
    return isWorthwhile(whole, sizes, memory, options, this.goal);
  }
}
