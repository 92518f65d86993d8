/**
 * Prices plans as reports do: with warm-ups, branches in parallel, what fits into the state, and one function with the whole model if the
 * pipeline may have it. It chooses the memory of functions, and whether there is that function.
 */
import type { PricedWhole } from '../../cost/consolidation';
import type { RunCost } from '../../cost/chain';
import { costOf } from '../../cost/schedule';
import type { Dataflow } from '../../dataflow/dataflow';
import { largestOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { type WiredCut, wireGroups } from '../wiring/wiring';
import { type KnownSlice, type MemoryGrid, bestMemory } from './memory';
import { memoryOf, requestDelays } from '../search/label';
import { closestPlans } from '../slicers/range-search';
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
import {
  searchOfColdRuns,
  consolidatedRuns,
  modelOfPlan,
  pricedWhole,
  slicedRuns,
} from '../pricing/plan-runs';

export interface Offer {
  readonly cut: ChosenCut;
  /** Of the runs that the goal is about. */
  readonly cost: RunCost;
  /** Whether the runs keep the limits, as they are printed. */
  readonly keepsLimits: boolean;
  /** The slice that needs more memory than a function may have, if there is one. */
  readonly tooLarge?: SliceSize;
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

/** Share by which the limits of a search are exceeded in a second one. */
const LOOSER = 0.2;

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

  /** The searches for plans: with and without warm-ups if the plan decides that, and with and without consolidation. */
  searches(request: PlanRequest): readonly PlanRequest[] {
    const { costs } = this.cuts;
    const { requestsPerHour } = this.goal;
    const model = costs.model(requestsPerHour);
    const isUndecided = costs.warmUp === undefined && model.options.stateMachineType === 'standard';
    const models = isUndecided ? [model, costs.model(requestsPerHour, false)] : [model];
    return models
      .flatMap((own) => [
        // One slice is the whole model already.
        { ...request, model: own, ...(this.consolidation === 'always' && { maxSlices: 1 }) },
        ...(this.whole ? [searchOfColdRuns(request, own, this.pricedWhole(this.whole, request))] : []),
      ])
      .flatMap((own) => [own, ...withLooserLimits(own)]);
  }

  /** The plan with each choice of memory that may be the best one, with and without consolidation. */
  of(choice: Choice, request: PlanRequest, grid: MemoryGrid = 'fine'): readonly Offer[] {
    const cut = wireGroups(this.dataflow, this.cuts.rule, choice.groups);
    const sizes = sliceSizes(cut.dataflow, cut.wiring, this.cuts.bytes, this.cuts.costs);
    const way = { choice, cut, sizes, request };
    const whole = sizes.length > 1 ? this.whole : undefined;
    return [
      ...(whole && this.consolidation === 'always' ? [] : this.ofWay(way, grid)),
      ...(whole ? this.ofWay({ ...way, whole }, grid) : []),
    ];
  }

  /** The search for memory adds up a chain, so it may return several plans near the limits. Printed figures choose among them. */
  private ofWay(way: Way, grid: MemoryGrid): Offer[] {
    const slices = this.slicesOf(way);
    const found = closestPlans(this.searchOf(way), (each) =>
      bestMemory(slices, way.request.transport, each, grid),
    );
    const all = found.flatMap(({ label }) => {
      const memory = memoryOf(label);
      // A slice that the search made small because another one hides it may be the slower one by its random delays.
      return [memory, memory.map((least) => Math.max(least, largestOf(memory)))];
    });
    const distinct = new Map(all.map((memory) => [memory.join(' '), memory]));
    return [...distinct.values()].flatMap((memory) => this.priced(way, memory) ?? []);
  }

  private searchOf({ sizes, request, whole }: Way): PlanRequest {
    const model = modelOfPlan(this.cuts.costs, sizes.map(fileBytes), this.goal.requestsPerHour);
    return whole ? searchOfColdRuns(request, model, this.pricedWhole(whole, request)) : { ...request, model };
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

  private priced({ choice, cut, sizes, request, ...way }: Way, memory: readonly number[]): Offer | undefined {
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
    return { cut: chosen, cost, keepsLimits, ...(tooLarge && { tooLarge }) };
  }

  private keeps({ dollars, latency }: RunCost): boolean {
    const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile } = this.goal;
    return dollars <= maxDollars * (1 + ROUNDING) && latency[quantile] <= maxLatencyMs;
  }

  private pricedWhole(whole: Whole, { transport }: PlanRequest): PricedWhole {
    const alone = besideSlices(whole, []);
    const settings = { threads: this.cuts.costs.threads(alone.memoryMb), transport };
    return pricedWhole(this.cuts, alone, settings, this.goal.requestsPerHour);
  }

  private mayBeside(whole: WholeCut, sizes: readonly SliceSize[], memory: readonly number[]): boolean {
    if (this.consolidation === 'always') return true;
    const { options } = this.cuts.costs.model(this.goal.requestsPerHour);
    return isWorthwhile(whole, sizes, memory, options, this.goal);
  }
}

/**
 * The search compares few memory sizes, and it counts the random delays of the first slice even if a longer load hides them. So the
 * best plan may seem to be a little beyond the limits.
 */
function withLooserLimits(request: PlanRequest): PlanRequest[] {
  const { model, maxLatencyMs, maxDollars, transport } = request;
  if (maxLatencyMs === undefined && maxDollars === undefined) return [];
  const { slice } = requestDelays(model, transport);
  return [
    {
      ...request,
      maxLatencyMs: maxLatencyMs && (1 + LOOSER) * maxLatencyMs + slice,
      maxDollars: maxDollars && (1 + LOOSER) * maxDollars,
    },
  ];
}
