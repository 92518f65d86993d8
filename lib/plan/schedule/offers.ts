/**
 * Prices plans as reports do: with warm-ups, branches in parallel, what fits into the state, and one function with the whole model if the
 * pipeline may have it. It chooses the memory of functions, and whether there is that function.
 */
import type { RunCost } from '../../cost/cost-model';
import type { DetailedCostModel } from '../../cost/model';
import type { RunOutcomes } from '../../cost/schedule-cost';
import { costOf } from '../../cost/schedule-cost';
import type { Dataflow } from '../../dataflow/dataflow';
import { largestOf } from '../../extremes';
import type { CutSpace } from '../cuts/cuts';
import { wireGroups } from '../cuts/wire-groups';
import type { KnownSlice } from '../search/best-memory';
import { bestMemory } from '../search/best-memory';
import type { Found } from '../search/incumbents';
import { requestDelays, stepsOf } from '../search/labels';
import { closestPlans } from '../search/optimal-slices';
import type { Choice, PlanRequest } from '../search/plan-request';
import type { Goal } from '../search/slicer';
import { coldShareOf, demandOf } from '../search/step-table';
import type { SliceSize } from '../sizes/estimate';
import { fileBytes, memoryMb, threadCount } from '../sizes/estimate';
import { sliceSizes } from '../sizes/slice-sizes';
import type { WiredCut } from '../wiring/wiring';
import { searchOfColdRuns } from './cold-runs';
import type { ChosenCut } from './cut-prices';
import { consolidatedRuns, modelOfPlan, pricedWhole, slicedRuns } from './plan-runs';
import type { ConsolidationMode, WholeCut } from './whole-model';
import { besideSlices, isWorthwhile, wholeModel } from './whole-model';

/** A plan, and what its runs cost and take. */
export interface Offer {
  readonly cut: ChosenCut;
  /** Of the runs that the goal is about. */
  readonly cost: RunCost;
  /** Whether the runs keep the limits, as they are printed. */
  readonly keepsLimits: boolean;
}

/** A way to run wired slices. */
interface Way {
  readonly cut: WiredCut;
  readonly sizes: readonly SliceSize[];
  readonly request: PlanRequest;
  readonly isConsolidated: boolean;
}

/** How often memory is chosen, each time with limits that are corrected by how far the search was off. */
const ROUNDS = 3;

/** Share by which the limits of a search are exceeded in a second one. */
const LOOSER = 0.03;

const QUANTILES = { p50: 0.5, p95: 0.95 };

/** Rounding error of a sum of probabilities. */
const ROUNDING = 1e-9;

export class Offers {
  private readonly whole: Pick<WholeCut, 'cut' | 'size'>;
  private readonly mayConsolidate: boolean;

  /** @param dataflow the data flow in which only constant nodes are repeated */
  constructor(
    private readonly dataflow: Dataflow,
    private readonly cuts: CutSpace,
    private readonly goal: Goal,
    private readonly consolidation: ConsolidationMode,
  ) {
    this.whole = wholeModel(dataflow, cuts);
    this.mayConsolidate =
      consolidation === 'always' ||
      (consolidation === 'automatic' && this.isWorthwhile(besideSlices(this.whole, []), [], []));
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
        ...(this.mayConsolidate ? [this.ofColdRuns(request, own)] : []),
      ])
      .flatMap((own) => [own, ...withLooserLimits(own)]);
  }

  /** The plan with each choice of memory, and with and without consolidation. */
  of(choice: Choice, request: PlanRequest): readonly Offer[] {
    const cut = wireGroups(this.dataflow, this.cuts.rule, choice.groups);
    const sizes = sliceSizes(cut.dataflow, cut.wiring, this.cuts.bytes, this.cuts.costs);
    const mayConsolidate = this.mayConsolidate && sizes.length > 1;
    const ways = [
      ...(mayConsolidate && this.consolidation === 'always' ? [] : [false]),
      ...(mayConsolidate ? [true] : []),
    ];
    return ways.flatMap((isConsolidated) => this.ofWay({ cut, sizes, request, isConsolidated }, choice));
  }

  private ofWay(way: Way, choice: Choice): Offer[] {
    const { sizes, request, isConsolidated } = way;
    const model = modelOfPlan(this.cuts.costs, sizes.map(fileBytes), this.goal.requestsPerHour);
    const search = isConsolidated ? this.ofColdRuns(request, model) : { ...request, model };
    const slices = this.slicesOf(way);
    const offers: Offer[] = [];
    let { maxLatencyMs, maxDollars } = search;
    for (let round = 0; round < ROUNDS; round++) {
      const own = { ...search, maxLatencyMs, maxDollars };
      const tried = closestPlans(own, (each) => bestMemory(slices, each)).flatMap((found) => {
        const memory = memoryOf(found);
        // A slice that the search has made small because another one hides it may be the slower one by its random delays.
        const even = memory.map((own) => Math.max(own, largestOf(memory)));
        return [memory, even].flatMap((own) => {
          const priced = this.priced(way, choice, own);
          return priced ? [{ ...priced, found }] : [];
        });
      });
      offers.push(...tried.map(({ offer }) => offer));
      const [first] = tried;
      if (first === undefined || (search.maxLatencyMs ?? search.maxDollars) === undefined) break;
      // The search adds up a chain. What its schedule costs and takes differs a little.
      const { cost } = first.found;
      const { quantile } = search;
      const corrected = (limit: number | undefined, ofSearch: number, real: number): number | undefined =>
        limit === undefined ? undefined : Math.max(Number.MIN_VALUE, limit + ofSearch - real);
      maxLatencyMs = corrected(search.maxLatencyMs, cost.latency[quantile], first.ofSlices.latency[quantile]);
      maxDollars = corrected(search.maxDollars, cost.dollars, first.ofSlices.dollars);
    }
    return offers;
  }

  /** The slices, and all that is chosen for them but memory. */
  private slicesOf({ cut, sizes, request }: Way): KnownSlice[] {
    const [transport] = request.transports;
    const [threads] = request.threads;
    const settings = { memoryMb: sizes.map(memoryMb), threads, transport };
    const { steps } = slicedRuns(this.cuts, { cut, sizes, settings }, this.goal.requestsPerHour);
    return steps.map(({ readsFrom, writesTo, inState }, slice) => ({
      size: sizes[slice],
      demand: demandOf(sizes[slice], this.cuts.costs.outputSecondsPerByte),
      choice: { threads, readsFrom, writesTo, ...(inState && { inState }) },
    }));
  }

  /** `undefined` if consolidation is not worthwhile. Also returns the runs that the search for the slices is about. */
  private priced(
    { cut, sizes, request, isConsolidated }: Way,
    { settings: searched, quality }: Choice,
    memory: readonly number[],
  ): { readonly offer: Offer; readonly ofSlices: RunCost } | undefined {
    const { goal, cuts } = this;
    const { temperature, transports } = request;
    const settings = {
      ...{ memoryMb: memory, threads: threadCount(largestOf(memory)) },
      transport: transports[0],
    };
    const planned = { cut, sizes, settings };
    const whole = isConsolidated ? besideSlices(this.whole, memory) : undefined;
    if (whole && this.consolidation === 'automatic' && !this.isWorthwhile(whole, sizes, memory))
      return undefined;
    const consolidated = whole && consolidatedRuns(cuts, planned, whole, goal.requestsPerHour);
    const slices = consolidated?.slices ?? slicedRuns(cuts, planned, goal.requestsPerHour);
    const runs = consolidated ?? slices.outcomes;
    const { coldShare } = slices.model;
    const cost = costOf(runs, coldShare, temperature);
    const fitsMemory = largestOf(memory) <= request.maxMemoryMb;
    return {
      offer: {
        cut: {
          ...cut,
          settings: { ...settings, temperature, cost, front: searched?.front ?? (() => []) },
          ...(quality && { quality }),
          ...(whole && { whole }),
        },
        cost,
        keepsLimits: fitsMemory && this.keeps(runs, cost, coldShareOf(temperature, coldShare)),
      },
      ofSlices: whole ? costOf(slices.outcomes, coldShare, 'cold') : cost,
    };
  }

  /** By the price and the time that are printed, and by the shares of runs by which services are compared. */
  private keeps({ warm, cold }: RunOutcomes, cost: RunCost, share: number): boolean {
    const { maxDollars = Infinity, maxLatencyMs = Infinity, quantile } = this.goal;
    if (cost.dollars > maxDollars) return false;
    if (maxLatencyMs === Infinity) return true;
    const within =
      (1 - share) * warm.time.shareWithin(maxLatencyMs) + share * cold.time.shareWithin(maxLatencyMs);
    return cost.latency[quantile] <= maxLatencyMs && within >= QUANTILES[quantile] - ROUNDING;
  }

  private ofColdRuns(request: PlanRequest, model: DetailedCostModel): PlanRequest {
    const [transport] = request.transports;
    const whole = besideSlices(this.whole, []);
    const settings = { threads: threadCount(whole.memoryMb), transport };
    const priced = pricedWhole(this.cuts, whole, settings, this.goal.requestsPerHour);
    return searchOfColdRuns(request, model, priced);
  }

  private isWorthwhile(whole: WholeCut, sizes: readonly SliceSize[], memory: readonly number[]): boolean {
    const { options } = this.cuts.costs.model(this.goal.requestsPerHour);
    return isWorthwhile(whole, sizes, memory, options, this.goal);
  }
}

/**
 * The search compares few memory sizes, and it counts the random delays of the first slice even if a longer load hides them. So the
 * best plan may seem to be a little beyond the limits.
 */
function withLooserLimits(request: PlanRequest): PlanRequest[] {
  const { model, maxLatencyMs, maxDollars, transports } = request;
  if (maxLatencyMs === undefined && maxDollars === undefined) return [];
  const { slice } = requestDelays(model, transports[0]);
  return [
    {
      ...request,
      maxLatencyMs: maxLatencyMs && (1 + LOOSER) * maxLatencyMs + slice,
      maxDollars: maxDollars && (1 + LOOSER) * maxDollars,
    },
  ];
}

function memoryOf({ label }: Found): number[] {
  return stepsOf(label).map(({ step }) => step.memoryMb);
}
